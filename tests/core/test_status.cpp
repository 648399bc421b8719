// Names, sizes and reasons: what a refusal consists of.
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include <ndt/core/name.hpp>
#include <ndt/core/status.hpp>

#include "../support/catch.hpp"

using ndt::Error;
using ndt::Extents;
using ndt::Name;
using ndt::Status;

TEST_CASE("a name is built from texts and numbers", "[core][name]") {
  CHECK(Name().view().empty());
  CHECK(Name("layers.").append_number(105).append(".weight").view() == "layers.105.weight");
  static_assert((Name("a") + ".b").view() == "a.b");
  const std::string text = "from a string";
  CHECK(Name(std::string_view(text)).view() == text);
  const Name path = "path";
  CHECK((path + ".x").view() == "path.x");
  CHECK(path.view() == "path");  // + leaves its left side as it was
}

TEST_CASE("numbers in names have the digits they need", "[core][name]") {
  for (const std::size_t number : {std::size_t{0}, std::size_t{9}, std::size_t{10}, std::size_t{99}, std::size_t{100},
                                   std::size_t{105}, std::numeric_limits<std::size_t>::max()}) {
    CHECK(Name().append_number(number).view() == std::to_string(number));
  }
}

TEST_CASE("what does not fit a name is cut and nothing is lost before it", "[core][name]") {
  const std::string digits = "0123456789";
  std::string text;
  Name name;
  for (int i = 0; i < 20; ++i) name.append(digits), text += digits;
  const std::size_t capacity = name.view().size();
  CHECK((capacity >= 60 && capacity < text.size()));
  CHECK(name.view() == text.substr(0, capacity));
  CHECK(name.append_number(105).view() == text.substr(0, capacity));
  // A text that fits in part, and one that fits to the last character.
  const std::string full(capacity, 'x');
  CHECK((Name(std::string_view(full).substr(2)) + "123").view() == full.substr(2) + "12");
  CHECK((Name(std::string_view(full).substr(2)) + "12").view() == full.substr(2) + "12");
}

TEST_CASE("NoName swallows what it is given", "[core][name]") {
  static_assert(std::is_same_v<decltype(ndt::NoName{} + "x"), ndt::NoName> && std::is_empty_v<ndt::NoName>);
}

TEST_CASE("every error has a message of its own", "[core][status]") {
  std::set<std::string_view> messages;
  for (std::size_t i = 0; i < ndt::error_messages.size(); ++i) {
    const Status status{static_cast<Error>(i)};
    CHECK_FALSE(status.message().empty());
    CHECK(status.ok() == (i == 0));
    messages.insert(status.message());
  }
  CHECK(messages.size() == ndt::error_messages.size());
}

TEST_CASE("the messages stand in the order of the errors", "[core][status]") {
  const auto message = [](Error error) { return Status{error}.message(); };
  CHECK(message(Error::none) == "no error");
  CHECK(message(Error::size_is_zero) == "a size is zero");
  CHECK(message(Error::size_too_large) == "a size is too large");
  CHECK(message(Error::heads_do_not_divide_width).find("heads") != std::string_view::npos);
  CHECK(message(Error::odd_width_for_sinusoidal_positions).find("even") != std::string_view::npos);
  CHECK(message(Error::epsilon_not_positive).find("epsilon") != std::string_view::npos);
  CHECK(message(Error::tensor_missing).find("missing") != std::string_view::npos);
  CHECK(message(Error::tensor_shape).find("shape") != std::string_view::npos);
  CHECK(message(Error::tensor_not_finite).find("NaN") != std::string_view::npos);
  CHECK(message(Error::position_index_out_of_range).find("position") != std::string_view::npos);
  CHECK(message(Error::memory_too_small).find("memory") != std::string_view::npos);
}

TEST_CASE("extents are a rank and sizes", "[core][status]") {
  static_assert(Extents().rank == 0 && Extents().count() == 1);
  static_assert(Extents(7).rank == 1 && Extents(7).count() == 7);
  static_assert(Extents(2, 3, 5, 7).rank == 4 && Extents(2, 3, 5, 7).count() == 210);
  static_assert(Extents(2, 3).size[0] == 2 && Extents(2, 3).size[1] == 3);
  static_assert(Extents(2, 0, 5).count() == 0);
  static_assert(Extents(2, 3) == Extents(2, 3) && Extents(2, 3) != Extents(3, 2));
  static_assert(Extents(2) != Extents(2, 0) && Extents() != Extents(0));
}
