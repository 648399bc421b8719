// The values of simulated data, as one number for each system. simulated_values.sh compiles this with every compiler
// that it finds: the numbers are written down here, and nobody's flags may change them.
#include <bit>
#include <cstdint>
#include <cstdio>

#include <ndt/data/chaotic_rnn.hpp>
#include <ndt/data/lorenz.hpp>
#include <ndt/data/reach.hpp>

namespace {

namespace data = ndt::data;

/// FNV-1a over 64-bit words.
struct Hash {
  std::uint64_t value = 0xcbf29ce484222325;

  void add(std::uint64_t word) {
    for (int i = 0; i < 8; ++i, word >>= 8) value = (value ^ (word & 0xff)) * 0x100000001b3;
  }
  template <class Values>
  void add_all(const Values& values) {
    add(values.size());
    for (const auto x : values) {
      if constexpr (sizeof x == sizeof(float)) {
        add(std::bit_cast<std::uint32_t>(x));
      } else {
        add(static_cast<std::uint64_t>(x));
      }
    }
  }
};

std::uint64_t hash(const data::Simulation& simulation) {
  Hash hash;
  hash.add(std::bit_cast<std::uint64_t>(simulation.conversion_factor));
  hash.add_all(simulation.data.psth);
  for (const data::Split* split : {&simulation.data.train, &simulation.data.valid}) {
    hash.add_all(split->counts);
    hash.add_all(split->truth);
    hash.add_all(split->behavior);
    hash.add_all(split->condition);
    hash.add_all(split->index);
  }
  return hash.value;
}

/// The sums of what the elementary functions give, bit by bit: a float in the data may hide a last digit.
std::uint64_t hash_of_functions() {
  Hash hash;
  ndt::RandomStream random({.seed = 5});
  for (int i = 0; i < 5000; ++i) {
    const double x = 40.0 * (random.uniform() - 0.5);
    for (const double y :
         {data::exp(x), data::log(x * x), data::sin(x), data::cos(x), data::tanh(0.1 * x), data::normal(random)}) {
      hash.add(std::bit_cast<std::uint64_t>(y));
    }
    hash.add(data::poisson(random, x * x));
  }
  return hash.value;
}

/// Chaos makes of one other bit another place on the attractor.
std::uint64_t hash_of_trajectory() {
  data::LorenzState state = {1, 1, 25};
  for (int step = 0; step < 20000; ++step) state = data::lorenz_step(state, 0.006);
  Hash hash;
  for (const double x : state) hash.add(std::bit_cast<std::uint64_t>(x));
  return hash.value;
}

bool is(const char* what, std::uint64_t value, std::uint64_t expected) {
  if (value == expected) return true;
  std::printf("%s: 0x%016llx, not 0x%016llx\n", what, static_cast<unsigned long long>(value),
              static_cast<unsigned long long>(expected));
  return false;
}

}  // namespace

int main() {
  bool same = is("elementary functions", hash_of_functions(), 0x5625ee71ca354875);
  same &= is("trajectory", hash_of_trajectory(), 0x7809bf8ef1aacf89);
  same &= is("lorenz", hash(data::simulate_lorenz()), 0xedf1db68c567f027);
  same &= is("chaotic-rnn", hash(data::simulate_chaotic_rnn({.conditions = 5})), 0xe4c06e80fc94cbfe);
  same &= is("reach", hash(data::simulate_reach()), 0x2d8386be0d205e13);
  return same ? 0 : 1;
}
