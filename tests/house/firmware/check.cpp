// check [spoil]: reads on standard input what a board printed (examples/firmware/main.cpp) and holds it to what this
// machine makes of the same counts: every bin of both trials, within the bound of README.md, "What is exact". The
// judges are a decoder of data with this machine's vectors, and whole trials.
//
// With the argument `spoil` one value is moved by twice the bound first, so the program must fail.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "model.hpp"
#include "rig.hpp"

namespace {

constexpr std::size_t N = model::config.neurons, T = model::config.trial_length, trials = 2;
constexpr double bound = 2e-5;

double error(double board, double desktop) { return std::abs(board - desktop) / std::max(1.0, std::abs(desktop)); }

/// Log rates of a trial's bins, bin by bin. `counts` receives what the rig gave, a missing bin as zeros.
std::vector<float> streamed(Rig<N>& rig, ndt::DynamicDecoder<>& decoder, std::vector<int>& counts) {
  std::vector<float> log_rates;
  const auto keep = [&](const ndt::StreamOutput<float>& out) {
    if (out.ready) log_rates.insert(log_rates.end(), out.log_rates, out.log_rates + N);
    return out.ready;
  };
  decoder.reset();
  for (std::size_t bin = 0; bin < T; ++bin) {
    const std::uint8_t* const given = rig.next();
    for (std::size_t n = 0; n < N; ++n) counts.push_back(given != nullptr ? given[n] : 0);
    keep(given != nullptr ? decoder.step(given) : decoder.step_missing());
  }
  while (keep(decoder.flush())) {
  }
  return log_rates;
}

}  // namespace

int main(int argc, char** argv) {
  const bool spoil = argc > 1 && std::string(argv[1]) == "spoil";
  ndt::DynamicTransformer<> network;
  ndt::DynamicDecoder<> decoder;
  if (!network.bind({model::config}, model::packed).ok()) return 2;
  std::vector<float> state(decoder.state_size(network)), workspace(network.workspace_size(T));
  if (!decoder.bind(network, {}, state).ok()) return 2;

  Rig<N> rig;
  std::vector<float> bins, whole(trials * T * N);
  for (std::size_t trial = 0; trial < trials; ++trial) {
    std::vector<int> counts;
    const std::vector<float> log_rates = streamed(rig, decoder, counts);
    bins.insert(bins.end(), log_rates.begin(), log_rates.end());
    network.forward({.log_rates = whole.data() + trial * T * N}, counts.data(), 1, T, workspace);
  }
  if (bins.size() != whole.size()) return 2;

  std::size_t compared = 0;
  double worst = 0;
  std::string line, word;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::size_t trial = 0, bin = 0;
    if (!(words >> word) || word != "rates") continue;
    // In order, none left out and none twice.
    if (!(words >> trial >> bin) || trial >= trials || (trial * T + bin) * N != compared) {
      std::printf("unexpected: %.40s\n", line.c_str());
      return 1;
    }
    while (words >> word) {
      if (compared == (trial * T + bin + 1) * N) return 1;
      double board =
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16))));
      const double here = static_cast<double>(bins[compared]), in_whole = static_cast<double>(whole[compared]);
      if (spoil && compared == whole.size() / 2) board += 2 * bound * std::max(1.0, std::abs(here));
      const double off = std::max(error(board, here), error(board, in_whole));
      if (!(off <= bound)) {
        std::printf("trial %zu, bin %zu, neuron %zu: %.9g on the board, %.9g here, %.9g in the whole trial\n", trial,
                    bin, compared % N, board, here, in_whole);
        return 1;
      }
      worst = std::max(worst, off);
      ++compared;
    }
  }
  if (compared != whole.size()) {
    std::printf("%zu of %zu values came\n", compared, whole.size());
    return 1;
  }
  std::printf("%zu values compared, the worst off by %.1e\n", compared, worst);
  return 0;
}
