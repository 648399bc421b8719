// main.cpp: a decoder on a microcontroller. Counts in, log rates out, bin by bin.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <ndt/ndt.hpp>

#include "model.hpp"  // generated: ndt convert MODEL.safetensors model.hpp --name model
#include "rig.hpp"
#include "semihosting.hpp"
#include "stack.hpp"
#include "systick.hpp"

namespace {

using Network = ndt::StaticTransformer<model::config>;
using Decoder = ndt::StaticDecoder<Network>;     // the policy `delayed`, which serves a model that looks ahead too
constinit const Network network{model::packed};  // a pointer to weights in flash
constinit ndt::StaticState<Decoder> state;       // keys and values of the bins so far; zero, so it takes no flash
constinit Decoder decoder{network, state};
constinit Rig<model::config.neurons> rig;

/// "rates TRIAL BIN" and the bits of every log rate: what a real device would do something with.
void report(std::uint32_t trial, const ndt::StreamOutput<float>& out) {
  using semihosting::write;
  write("rates "), write(trial), write(" "), write(static_cast<std::uint32_t>(out.bin));
  for (std::size_t n = 0; n < model::config.neurons; ++n) {
    const auto bits = std::bit_cast<std::uint32_t>(out.log_rates[n]);
    char text[] = " 00000000";
    for (int digit = 0; digit < 8; ++digit) text[1 + digit] = "0123456789abcdef"[bits >> (28 - 4 * digit) & 15];
    write(text);
  }
  write("\n");
}

void report(const char* what, std::uint32_t number) {
  using semihosting::write;
  write(what), write(" "), write(number), write("\n");
}

}  // namespace

int main() {
  const systick::Instructions instructions;
  systick::Longest bins, flushes;
  for (std::uint32_t trial = 0; trial < 2; ++trial) {
    decoder.reset();
    for (std::size_t bin = 0; bin < model::config.trial_length; ++bin) {
      const std::uint8_t* const counts = rig.next();
      const auto& out =
          bins.of([&]() -> auto& { return counts != nullptr ? decoder.step(counts) : decoder.step_missing(); });
      if (out.ready) report(trial, out);
    }
    // What a look-ahead held back. A causal model has nothing left.
    while (flushes.of([]() -> auto& { return decoder.flush(); }).ready) report(trial, decoder.output());
  }
  report("instructions_a_bin", instructions.in(bins.in_ticks()));
  report("instructions_a_flush", instructions.in(flushes.in_ticks()));
  report("instructions_in_1000_ticks", instructions.in_thousand_ticks());
  report("stack", stack::used());
}
