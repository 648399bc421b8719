// vectors.cpp: on a board, kernels with its vectors against the same kernels in scalar code, at every tail. Ends with 1
// and the name of the first that differs; on a board without vectors it compares scalar code with itself.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ndt/ndt.hpp>

#include "semihosting.hpp"

namespace {

using Native = ndt::simd::native<float>;
using Scalar = ndt::simd::scalar<float>;
constexpr std::size_t most = 37,
                      room = most + 16;  // several registers, panels and a tail; what is behind stays as it is
constexpr float untouched = -7.0f;
using Row = std::array<float, room>;
std::uint32_t compared = 0;

float noise(float size) {
  static std::uint32_t seed = 1;
  seed = seed * 1664525u + 1013904223u;
  return static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31f * size;
}
Row noisy(std::size_t n, float size) {
  Row row;
  row.fill(untouched);
  for (std::size_t i = 0; i < n; ++i) row[i] = noise(size);
  return row;
}

void same(const char* what, const Row& native, const Row& scalar, std::size_t n) {
  for (std::size_t i = 0; i < room; ++i) {
    const float a = native[i], b = scalar[i];
    const bool good = i < n ? std::abs(a - b) <= 1e-5f * std::max(1.0f, std::abs(b)) || (a != a && b != b)
                            : a == untouched && b == untouched;
    if (!good) {
      semihosting::write(what), semihosting::write(" differs at size "),
          semihosting::write(static_cast<std::uint32_t>(n));
      semihosting::write("\n"), semihosting::exit(false);
    }
    ++compared;
  }
}

/// f(policy, row) on two copies of x(n).
template <class F>
void both(const char* what, const Row& x, std::size_t n, F f) {
  Row native = x, scalar = x;
  f(Native{}, native.data());
  f(Scalar{}, scalar.data());
  same(what, native, scalar, n);
}

void products(std::size_t K, std::size_t N) {
  static float panels[most * 48], a[3 * most];
  for (float& weight : panels) weight = noise(1.0f);
  for (float& x : a) x = noise(1.0f);
  const Row bias = noisy(N, 1.0f);
  for (std::size_t M = 1; M <= 3; ++M) {
    // Rows one after the other with a gap, of which the last has the end of memory behind it.
    std::array<Row, 3> native, scalar;
    for (std::size_t r = 0; r < 3; ++r) native[r] = scalar[r] = noisy(N, 1.0f);
    const auto run = [&](auto policy, std::array<Row, 3>& c) {
      ndt::kernels::gemm<decltype(policy)>({c[0].data(), room}, ndt::Rows<const float>{a, most},
                                           {panels, K * ndt::kernels::panel_width}, M, K, N,
                                           {.accumulate = true, .bias = bias.data(), .relu = K % 2 == 0});
    };
    run(Native{}, native), run(Scalar{}, scalar);
    for (std::size_t r = 0; r < M; ++r) same("gemm", native[r], scalar[r], N);
  }
}

}  // namespace

int main() {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (std::size_t n = 1; n <= most; ++n) {
    const Row gain = noisy(n, 1.0f), bias = noisy(n, 1.0f);
    const auto exp = [=](auto policy, float* x) { ndt::kernels::exp_row<decltype(policy)>(x, x, n); };
    both("exp", noisy(n, 8.0f), n, exp);
    for (const float odd : {nan, infinity, -infinity, 0.0f, -104.0f}) {
      Row x = noisy(n, 1.0f);
      x[n / 2] = odd;
      both("exp of an odd number", x, n, [=](auto policy, float* row) {
        ndt::kernels::exp_row<decltype(policy)>(row, row, n);
        if (!std::isfinite(row[n / 2]) && odd == infinity) row[n / 2] = 0.0f;
      });
    }
    both("softmax", noisy(n, 5.0f), n,
         [=](auto policy, float* x) { ndt::kernels::softmax<decltype(policy)>(x, n, 0.5f); });
    both("gelu", noisy(n, 4.0f), n, [=](auto policy, float* x) {
      ndt::kernels::gelu_rows<decltype(policy)>({x, room}, ndt::Rows<const float>{x, room}, 1, n);
    });
    both("layer_norm", noisy(n, 3.0f), n, [&](auto policy, float* x) {
      ndt::kernels::layer_norm<decltype(policy)>({x, room}, ndt::Rows<const float>{x, room}, gain.data(), bias.data(),
                                                 1, n, 1e-2f);
    });
    for (const std::size_t K : {1, 2, 7, 16, 37}) products(K, n);
  }
  semihosting::write(compared), semihosting::write(" values compared\n");
}
