// Sizes in types, and rows of memory.
#include <cstddef>
#include <type_traits>

#include <ndt/core/dim.hpp>
#include <ndt/core/view.hpp>

#include "../support/catch.hpp"

using ndt::Dim;
using ndt::dyn;

TEST_CASE("a static size takes no room and a dynamic one that of a number", "[core][dim]") {
  struct Holder {
    [[no_unique_address]] Dim<137> size;
    char c;
  };
  static_assert(std::is_empty_v<Dim<137>> && sizeof(Holder) == 1);
  static_assert(sizeof(Dim<dyn>) == sizeof(std::size_t));
  static_assert(Dim<137>{} == 137 && Dim<137>{137} == 137);
  static_assert(Dim<dyn>{} == 0 && Dim<dyn>{137} == 137);
}

TEST_CASE("a product of sizes is static as long as both factors are", "[core][dim]") {
  static_assert(std::is_same_v<decltype(Dim<3>{} * Dim<7>{}), Dim<21>>);
  static_assert(std::is_same_v<decltype(Dim<3>{} * Dim<dyn>{7}), Dim<dyn>>);
  static_assert(std::is_same_v<decltype(Dim<dyn>{3} * Dim<7>{}), Dim<dyn>>);
  static_assert(std::is_same_v<decltype(Dim<dyn>{3} * Dim<dyn>{7}), Dim<dyn>>);
  static_assert(Dim<3>{} * Dim<7>{} == 21 && Dim<3>{} * Dim<dyn>{7} == 21);
  static_assert(Dim<dyn>{3} * Dim<7>{} == 21 && Dim<dyn>{3} * Dim<dyn>{7} == 21);
  // No size is mistaken for one: 0 is a size like any other.
  static_assert(std::is_same_v<decltype(Dim<0>{} * Dim<7>{}), Dim<0>>);
}

TEST_CASE("sizes round up to whole units and stay when they are whole", "[core][dim]") {
  static_assert(ndt::divide_up(0, 16) == 0 && ndt::divide_up(1, 16) == 1);
  static_assert(ndt::divide_up(16, 16) == 1 && ndt::divide_up(17, 16) == 2);
  static_assert(ndt::round_up(0, 16) == 0 && ndt::round_up(1, 16) == 16);
  static_assert(ndt::round_up(16, 16) == 16 && ndt::round_up(17, 16) == 32);
  static_assert(ndt::min_size(2, 3) == 2 && ndt::min_size(3, 2) == 2);
  static_assert(ndt::max_size(2, 3) == 3 && ndt::max_size(3, 2) == 3);
}

TEST_CASE("rows lie a stride apart, and a part of a matrix is a matrix", "[core][view]") {
  static constexpr int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  constexpr ndt::Rows<const int> rows{numbers, 4};
  static_assert(*rows[0] == 0 && rows[2][3] == 11);
  static_assert(*rows.from(1)[0] == 4 && *rows.from(1, 2)[1] == 10);
  static_assert(rows.from(1, 2).stride == 4);
  static_assert(std::is_convertible_v<ndt::Rows<int>, ndt::Rows<const int>>);
  static_assert(!std::is_convertible_v<ndt::Rows<const int>, ndt::Rows<int>>);
  static_assert(ndt::Rows<int>{}.data == nullptr);
}
