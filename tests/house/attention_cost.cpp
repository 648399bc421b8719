// attention_cost BINS: one banded head over so many bins, for attention_cost.sh to count.
#include <cstdlib>
#include <vector>

#include <ndt/ndt.hpp>

using V = ndt::simd::native<float>;
constexpr std::size_t width = 50;

extern "C" NDT_NOINLINE void counted_attention(const float* rows, float* keys, float* values, float* out,
                                               float* scratch, std::size_t bins) {
  const ndt::Rows<const float> matrix{rows, width};
  ndt::kernels::pack_transposed(keys, matrix, bins, width, 0, bins);
  ndt::kernels::pack_rows(values, matrix, bins, width, 0, bins);
  const ndt::kernels::AttentionHead<float> head{matrix, {keys, width * 16}, {values, bins * 16}, bins, width, 0.1f};
  ndt::kernels::attention<V>({out, width}, head, {.backward = 30, .forward = 20}, 0, bins, scratch);
}

int main(int argc, char** argv) {
  const std::size_t bins = argc == 2 ? static_cast<std::size_t>(std::atoi(argv[1])) : 0;
  if (bins == 0) return 2;
  const std::vector<float> rows(bins * width, 0.25f);
  std::vector<float> keys(ndt::kernels::packed_size(width, bins)), values(ndt::kernels::packed_size(bins, width));
  std::vector<float> out(bins * width), scratch(ndt::kernels::attention_scratch_size<V>(bins));
  counted_attention(rows.data(), keys.data(), values.data(), out.data(), scratch.data(), bins);
  return out[0] > 0 ? 0 : 1;
}
