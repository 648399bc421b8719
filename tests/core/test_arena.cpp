// The arena plans memory and hands it out, with one and the same code.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <ndt/core/arena.hpp>

#include "../support/catch.hpp"

namespace {

constexpr std::size_t takes[] = {1, 0, 7, 16, 17, 64, 3, 1000};

}  // namespace

TEMPLATE_TEST_CASE("an arena without memory counts exactly what one with memory hands out", "[core][arena]", float,
                   double, char) {
  alignas(ndt::alignment_bytes) static TestType memory[4096];
  ndt::Arena<TestType> counting(nullptr), handing_out(memory);
  for (const std::size_t count : takes) {
    CHECK(counting.take(count) == nullptr);
    CHECK(handing_out.take(count) != nullptr);
    CHECK(counting.used() == handing_out.used());
  }
}

TEMPLATE_TEST_CASE("pieces of an arena start on boundaries, follow one another and never overlap", "[core][arena]",
                   float, double, char) {
  alignas(ndt::alignment_bytes) static TestType memory[4096];
  ndt::Arena<TestType> arena(memory);
  CHECK(arena.used() == 0);
  TestType* end = memory;
  for (const std::size_t count : takes) {
    INFO("count " << count);
    TestType* const piece = arena.take(count);
    CHECK(reinterpret_cast<std::uintptr_t>(piece) % ndt::alignment_bytes == 0);
    CHECK(piece >= end);
    CHECK(static_cast<std::size_t>(piece - end) * sizeof(TestType) < ndt::alignment_bytes);
    end = piece + count;
    // The count has room for the piece and for no more than its boundary.
    CHECK(memory + arena.used() >= end);
    CHECK(static_cast<std::size_t>(memory + arena.used() - end) * sizeof(TestType) < ndt::alignment_bytes);
  }
}

TEST_CASE("an arena counts at compile time", "[core][arena]") {
  constexpr std::size_t used = [] {
    ndt::Arena<float> arena(nullptr);
    arena.take(1), arena.take(16), arena.take(17);
    return arena.used();
  }();
  static_assert(used == 16 + 16 + 32);
}
