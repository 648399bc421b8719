// largest.cpp: instructions of a causal decoder for its last and dearest bin, on a board, for models of several sizes.
// Prints "LAYERS WIDTH INSTRUCTIONS WEIGHT_BYTES STATE_BYTES" for each. With SEARCH defined, it looks for the largest
// width for each number of layers that stays under the budget; else it takes the sizes in SIZES ("{layers, width},
// ...").
//
// Shapes are data here, so that one program has them all; a shape that is a type costs a few percent less. Weights come
// from a cheap generator at the start and lie in the board's external memory: how many instructions run does not depend
// on their values. No memory has wait states here.
#include <bit>
#include <cstdint>
#include <ndt/ndt.hpp>

#include "semihosting.hpp"
#include "stack.hpp"
#include "systick.hpp"

namespace {

constexpr std::uint32_t over_all = ~0u;      // more than the memory holds
constexpr std::uint32_t budget = 4'000'000;  // 10 ms at 400 MHz, if every instruction took one cycle
// In numbers: the one board has 16 MB of external memory, the other more than enough.
#ifdef __ARM_FEATURE_MVE
constexpr std::size_t weights_size = 12 << 20;
#else
constexpr std::size_t weights_size = 3 << 20;
#endif
constexpr std::size_t bins = 50, state_size = 1 << 20;
float* const memory = reinterpret_cast<float*>(0x60000000);  // weights, then the state
ndt::DynamicTransformer<> network;
ndt::DynamicDecoder<> decoder;

/// Lorenz's shape, but for its width: counts by a table of two numbers a neuron, 2 heads, and twice the width between.
ndt::ModelConfig shape(std::size_t layers, std::size_t width) {
  ndt::ModelConfig config;
  config.neurons = width / 2, config.trial_length = bins, config.layers = layers, config.hidden_size = 2 * width;
  config.max_spikes = 5, config.context_forward = 0, config.context_backward = bins;
  config.pre_norm = config.learnable_position = true;
  return config;
}

std::uint32_t instructions(const systick::Instructions& clock, const ndt::ModelConfig& config) {
  const std::size_t count = ndt::DynamicTransformer<>({config}).packed_size();
  if (count > weights_size) return over_all;
  std::uint32_t seed = 1;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    memory[i] = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-34f;  // up to 1/8 either way
  }
  if (!network.bind({config}, {memory, count}).ok()) return 0;
  if (!decoder.bind(network, {}, {memory + weights_size, state_size}).ok()) return 0;
  static std::uint8_t counts[1024];
  std::uint32_t last = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    for (std::size_t n = 0; n < config.neurons; ++n) counts[n] = static_cast<std::uint8_t>((bin * 7 + n * 3) % 10 == 0);
    systick::start();
    decoder.step(counts);
    last = systick::ticks();
  }
  const ndt::StreamOutput<float>& out = decoder.output();
  if (!out.ready || out.held) return 0;
  return clock.in(last);
}

std::uint32_t report(const systick::Instructions& clock, std::size_t layers, std::size_t width) {
  const std::uint32_t count = instructions(clock, shape(layers, width));
  const auto number = [](std::size_t n, const char* then) {
    semihosting::write(static_cast<std::uint32_t>(n)), semihosting::write(then);
  };
  number(layers, " "), number(width, " "), number(count, " ");
  number(network.packed_size() * sizeof(float), " "), number(decoder.state_size(network) * sizeof(float), "\n");
  if (count == 0) semihosting::exit(false);
  return count;
}

}  // namespace

int main() {
  const systick::Instructions clock;
#ifdef SEARCH
  std::size_t over = 800;
  for (const std::size_t layers : {1, 2, 4, 6, 12}) {
    // A deeper model is narrower, but not by half from one to the next.
    std::size_t under = over / 4 * 2;
    while (over - under > 2) {
      const std::size_t middle = (under + over) / 4 * 2;
      (report(clock, layers, middle) < budget ? under : over) = middle;
    }
    semihosting::write("largest: "), report(clock, layers, under);
  }
#else
  constexpr struct { std::size_t layers, width; } sizes[] = {SIZES};
  for (const auto& s : sizes) report(clock, s.layers, s.width);
#endif
}
