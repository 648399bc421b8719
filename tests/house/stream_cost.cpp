// stream_cost POLICY BIN INPUT: one step of a decoder, at this bin of a trial, for stream_cost.sh to count.
// POLICY: causal, delayed or windowed. INPUT: spikes, zero, maximum or extreme.
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/train/network.hpp>

#include "../support/stream.hpp"

namespace {

using V = ndt::simd::native<float>;
constexpr std::size_t context = 20;

std::vector<float> counts_of(const std::string& input, const ndt::ModelConfig& config, std::size_t bin) {
  std::vector<float> counts(config.neurons);
  for (std::size_t n = 0; n < counts.size(); ++n) {
    if (input == "spikes") counts[n] = (bin * 7 + n * 3) % 10 == 0 ? 1.0f : 0.0f;
    if (input == "maximum") counts[n] = static_cast<float>(config.max_spikes);
    if (input == "extreme") {
      counts[n] = n % 3 == 0   ? std::numeric_limits<float>::max()
                  : n % 3 == 1 ? -std::numeric_limits<float>::infinity()
                               : std::numeric_limits<float>::denorm_min();
    }
  }
  return counts;
}

}  // namespace

extern "C" NDT_NOINLINE void counted_step(ndt::DynamicDecoder<V>& decoder, const float* counts) {
  decoder.step(counts);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string policy = argv[1], input = argv[3];
  const std::size_t last = static_cast<std::size_t>(std::atoi(argv[2]));
  ndt::ModelConfig config;
  config.neurons = 29, config.trial_length = 10 * context + 40, config.max_spikes = 5;
  config.context_backward = context, config.context_forward = policy == "delayed" ? 2 : 0;
  config.pre_norm = config.learnable_position = true;
  if (last >= config.trial_length) return 2;
  ndt::StreamConfig stream;
  if (policy == "windowed") stream = {ndt::StreamPolicy::windowed, ndt::PastEnd::stop, context};
  const support::RandomModel<V> random(config);
  support::Stream<V> s(random.model, stream);
  if (!random.bound() || !s.status.ok()) return 1;
  for (std::size_t bin = 0; bin < last; ++bin) s.decoder.step(counts_of(input, config, bin).data());
  counted_step(s.decoder, counts_of(input, config, last).data());
  return s.decoder.output().ready ? 0 : 1;
}
