// kernel/...: the pieces that a window is made of, at the sizes of the measured shapes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "counters.hpp"
#include "shapes.hpp"

namespace {

using V = ndt::simd::native<float>;
using ndt::round_up;
using ndt::Rows;
namespace kernels = ndt::kernels;

std::string sizes(std::initializer_list<std::size_t> numbers) {
  std::string text;
  for (const std::size_t n : numbers) {
    if (!text.empty()) text += 'x';
    text += std::to_string(n);
  }
  return text;
}

void add(const std::string& name, auto run) {
  benchmark::RegisterBenchmark(("kernel/" + name).c_str(), run)->Unit(benchmark::kMicrosecond);
}

/// C(M,N) = A(M,K) B + bias, as every linear layer.
void gemm(benchmark::State& state, std::size_t M, std::size_t K, std::size_t N) {
  const std::size_t lda = round_up(K, 16), ldc = round_up(N, 16);
  const auto a = bench::random_floats(M * lda, 1, 1), w = bench::random_floats(N * K, 1, 2);
  const auto bias = bench::random_floats(N, 1, 3);
  std::vector<float> packed(kernels::packed_size(K, N)), c(M * ldc);
  kernels::pack_transposed(packed.data(), Rows<const float>{w.data(), K}, N, K, 0, N);
  const double seconds = bench::seconds_of(state, [&] {
    kernels::gemm<V>({c.data(), ldc}, {a.data(), lda}, {packed.data(), K * 16}, M, K, N, {.bias = bias.data()});
  });
  bench::count_flop(state, 2.0 * static_cast<double>(M * K * N), seconds, 1);
}

/// One head over `bins` bins; forward and backward context in bins, or all of it.
void attention(benchmark::State& state, std::size_t bins, std::size_t width, ndt::Band band) {
  const auto rows = bench::random_floats(bins * width, 1, 1);
  std::vector<float> keys(kernels::packed_size(width, bins)), values(kernels::packed_size(bins, width));
  kernels::pack_transposed(keys.data(), Rows<const float>{rows.data(), width}, bins, width, 0, bins);
  kernels::pack_rows(values.data(), Rows<const float>{rows.data(), width}, bins, width, 0, bins);
  std::vector<float> out(bins * width), scratch(kernels::attention_scratch_size<V>(bins));
  const kernels::AttentionHead<float> head{
      {rows.data(), width}, {keys.data(), width * 16}, {values.data(), bins * 16}, bins, width, 0.1f};
  double pairs = 0;
  for (std::size_t i = 0; i < bins; ++i) pairs += static_cast<double>(band.last(i, bins) + 1 - band.first(i));
  const double seconds = bench::seconds_of(state, [&] {
    kernels::attention<V>({out.data(), width}, head, band, 0, bins, scratch.data());
  });
  bench::count_flop(state, 4.0 * pairs * static_cast<double>(width), seconds, 1);
}

/// `run(y, x)` over (bins, width), counted in elements.
void rows(const std::string& name, std::size_t bins, std::size_t width, auto run) {
  add(name + "/" + sizes({bins, width}), [=](benchmark::State& state) {
    const std::size_t stride = round_up(width, 16);
    const auto x = bench::random_floats(bins * stride, 3, 1);
    std::vector<float> y(x.size());
    const double seconds = bench::seconds_of(state, [&] {
      run(Rows<float>{y.data(), stride}, Rows<const float>{x.data(), stride});
    });
    bench::count_elements(state, static_cast<double>(bins * width), seconds);
  });
}

}  // namespace

void bench::register_kernels() {
  for (const auto& [M, K, N] : {std::array<std::size_t, 3>{70, 202, 202},
                                {70, 202, 606},
                                {70, 202, 128},
                                {70, 128, 202},
                                {50, 58, 58},
                                {5, 100, 100},
                                {1, 202, 606}}) {
    add("gemm/" + sizes({M, K, N}), [M = M, K = K, N = N](benchmark::State& state) { gemm(state, M, K, N); });
  }
  for (const auto& [bins, width] : {std::pair<std::size_t, std::size_t>{70, 101}, {180, 91}, {50, 29}, {5, 50}}) {
    add("attention/full/" + sizes({bins, width}),
        [bins = bins, width = width](benchmark::State& state) { attention(state, bins, width, ndt::Band{}); });
  }
  for (const std::size_t bins : std::vector<std::size_t>{128, 256, 512}) {
    add("attention/band30+20/" + sizes({bins, 101}),
        [=](benchmark::State& state) { attention(state, bins, 101, {.backward = 30, .forward = 20}); });
  }
  static const std::vector<float> gain(1024, 1.1f), bias(1024, 0.1f);
  rows("layer_norm", 70, 202, [](Rows<float> y, Rows<const float> x) {
    kernels::layer_norm<V>(y, x, gain.data(), bias.data(), 70, std::size_t{202}, 1e-5f);
  });
  rows("scale_norm", 70, 202,
       [](Rows<float> y, Rows<const float> x) { kernels::scale_norm<V>(y, x, 14.2f, 70, std::size_t{202}, 1e-5f); });
  rows("softmax", 70, 70, [](Rows<float> y, Rows<const float> x) {
    constexpr std::size_t together = kernels::attention_rows<V>;
    for (std::size_t t = 0; t < 70; t += together) {
      const std::size_t count = std::min(together, 70 - t);
      std::array<float*, together> row{};
      std::array<std::size_t, together> n{};
      for (std::size_t r = 0; r < count; ++r) {
        row[r] = y[t + r], n[r] = 70;
        kernels::copy<V>(row[r], x[t + r], n[r]);
      }
      kernels::softmax_rows<V>(row, n, count, 0.1f);
    }
  });
  rows("exp", 70, 202, [](Rows<float> y, Rows<const float> x) {
    for (std::size_t t = 0; t < 70; ++t) kernels::exp_row<V>(y[t], x[t], 202);
  });
  rows("gelu", 70, 128, [](Rows<float> y, Rows<const float> x) { kernels::gelu_rows<V>(y, x, 70, std::size_t{128}); });
}
