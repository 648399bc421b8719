// Memory that owns itself, on both sides of the size from which it asks for huge pages.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include <ndt/tensor/buffer.hpp>

#include "../support/catch.hpp"

using Buffer = ndt::Buffer<float>;

namespace {

constexpr std::size_t large = ndt::huge_page / sizeof(float);

bool lies_on(const Buffer& buffer, std::size_t boundary) {
  return reinterpret_cast<std::uintptr_t>(buffer.data()) % boundary == 0;
}
bool holds(const Buffer& buffer, float value) {
  return std::all_of(buffer.begin(), buffer.end(), [=](float x) { return x == value; });
}

}  // namespace

TEST_CASE("a buffer is zero and lies on its boundary, small or of huge pages", "[tensor]") {
  for (const std::size_t size : {std::size_t{1}, large - 1, large, large + 1, 3 * large}) {
    INFO("size " << size);
    Buffer buffer(size);
    CHECK(buffer.size() == size);
    CHECK(lies_on(buffer, size < large ? ndt::alignment_bytes : ndt::huge_page));
    CHECK(holds(buffer, 0));
    std::fill(buffer.begin(), buffer.end(), 3.0f);
    buffer.clear();
    CHECK(holds(buffer, 0));
  }
  CHECK(Buffer(0).data() == nullptr);
}

TEST_CASE("a buffer moves into one of another size, and each frees what it has", "[tensor]") {
  for (const auto& [from, to] : std::vector<std::pair<std::size_t, std::size_t>>{
           {7, 2 * large}, {2 * large, 7}, {large - 1, large}, {large, large - 1}, {0, large}}) {
    INFO("from " << from << " to " << to);
    Buffer source(from), target(to);
    std::fill(source.begin(), source.end(), 2.0f);
    target = std::move(source);
    CHECK(target.size() == from);
    CHECK(holds(target, 2));
    const Buffer last(std::move(target));
    CHECK(holds(last, 2));
  }
}

TEST_CASE("a buffer that no memory could hold is refused", "[tensor]") {
  CHECK_THROWS_AS(Buffer(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  CHECK_THROWS_AS(Buffer(std::numeric_limits<std::size_t>::max() / sizeof(float)), std::bad_alloc);
}
