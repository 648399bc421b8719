// What must not change a single bit: the batch, the threads, the workspace and what a bin may not look at.
#include <algorithm>
#include <thread>

#include "../support/catch.hpp"
#include "../support/golden.hpp"
#include "../support/run.hpp"
#include "../support/widths.hpp"

namespace {

using V = ndt::simd::native<float>;
using Model = ndt::DynamicTransformer<V>;
using Counts = std::vector<std::int64_t>;

struct Loaded {
  support::Golden golden;
  std::vector<float> packed;
  Model model;
  std::size_t bins;
  Counts trial;  // the first of the file

  explicit Loaded(const std::string& name) : golden(support::golden(name)), packed(golden.packed<V>()) {
    REQUIRE(model.bind({golden.config()}, packed).ok());
    bins = golden["counts"].extents.size[1];
    const auto& counts = golden["counts"].integers;
    trial.assign(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(bins * golden.config().neurons));
  }
};

template <class T>
std::vector<T> slice(const std::vector<T>& v, std::size_t part, std::size_t parts) {
  const auto size = static_cast<std::ptrdiff_t>(v.size() / parts), from = static_cast<std::ptrdiff_t>(part) * size;
  return {v.begin() + from, v.begin() + from + size};
}

const std::vector<std::string> some_models = {"base",         "width34_bins37", "many_switches",
                                              "context_full", "embed_linear",   "one_bin"};

}  // namespace

TEST_CASE("a trial has the same bits at any place in a batch of any size", "[model][bits]") {
  const std::string name = GENERATE(from_range(some_models));
  INFO(name);
  const Loaded loaded(name);
  const auto alone = support::run(loaded.model, loaded.trial, 1, loaded.bins);
  const std::size_t trials = GENERATE(values<std::size_t>({2, 3, 5})),
                    place = GENERATE(values<std::size_t>({0, 1, 4})) % trials;
  Counts batch(trials * loaded.trial.size(), 1);
  std::copy(loaded.trial.begin(), loaded.trial.end(),
            batch.begin() + static_cast<std::ptrdiff_t>(place * loaded.trial.size()));
  const auto together = support::run(loaded.model, batch, trials, loaded.bins);
  CHECK(slice(together.log_rates, place, trials) == alone.log_rates);
  CHECK(slice(together.hidden, place, trials) == alone.hidden);
  CHECK(slice(together.layers, place, trials) == alone.layers);
  CHECK(slice(together.attention, place, trials) == alone.attention);
}

TEST_CASE("a workspace for several trials gives the same bits, whatever it holds of the batch", "[model][bits]") {
  const std::string name = GENERATE(from_range(some_models));
  INFO(name);
  const Loaded loaded(name);
  const std::size_t trials = 7;
  Counts batch;
  for (std::size_t i = 0; i < trials; ++i) {
    Counts trial = loaded.trial;
    std::rotate(trial.begin(), trial.begin() + static_cast<std::ptrdiff_t>(i), trial.end());
    batch.insert(batch.end(), trial.begin(), trial.end());
  }
  const auto one_by_one = support::run(loaded.model, batch, trials, loaded.bins);
  for (const std::size_t together : support::Sizes{2, 3, 7, 1000}) {
    INFO("room for " << together);
    const auto run = [&](const auto& policy) {
      return support::run(loaded.model, batch, trials, loaded.bins, policy, ndt::LargestCount::max_spikes, together);
    };
    CHECK(run(ndt::Serial{}) == one_by_one);
#ifdef _OPENMP
    CHECK(run(ndt::OpenMP{2}) == one_by_one);
#endif
  }
}

TEST_CASE("a batch of no trials is nothing to do", "[model]") {
  const Loaded loaded("base");
  CHECK(support::run(loaded.model, Counts{}, 0, loaded.bins).log_rates.empty());
  CHECK(loaded.model.workspace_size(loaded.bins, 1, 0) == loaded.model.workspace_size(loaded.bins));
}

TEST_CASE("a workspace grows with the trials that it is for up to a limit, and never for one", "[model]") {
  const Loaded loaded("base");
  const std::size_t bins = loaded.bins;
  const auto size = [&](std::size_t workers, std::size_t trials) {
    return loaded.model.workspace_size(bins, workers, trials);
  };
  CHECK(size(1, 1) == loaded.model.workspace_size(bins));
  CHECK(size(1, 2) > size(1, 1));
  CHECK(size(1, 100'000) == size(1, 200'000));
  CHECK(size(2, 2) == loaded.model.workspace_size(bins, 2));  // one trial for each worker
}

#ifdef _OPENMP
TEST_CASE("any number of threads gives the same bits, over trials and inside one", "[model][bits][threads]") {
  const std::string name = GENERATE(from_range(some_models));
  INFO(name);
  const Loaded loaded(name);
  const std::size_t trials = GENERATE(values<std::size_t>({1, 2, 5})),
                    threads = GENERATE(values<std::size_t>({2, 3, 7}));
  Counts batch;
  for (std::size_t i = 0; i < trials; ++i) batch.insert(batch.end(), loaded.trial.begin(), loaded.trial.end());
  const auto serial = support::run(loaded.model, batch, trials, loaded.bins);
  CHECK(support::run(loaded.model, batch, trials, loaded.bins, ndt::OpenMP{threads}) == serial);
}
#endif

TEST_CASE("one const model serves several workspaces at the same time", "[model][threads]") {
  const Loaded loaded("width34_bins37");
  const auto expected = support::run(loaded.model, loaded.trial, 1, loaded.bins);
  std::vector<support::Recorded<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) result = support::run(loaded.model, loaded.trial, 1, loaded.bins);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("counts of any type give the same bits", "[model][bits]") {
  const Loaded loaded("base");
  const auto expected = support::run(loaded.model, loaded.trial, 1, loaded.bins);
  const auto as = [&]<class Count>(Count) { return std::vector<Count>(loaded.trial.begin(), loaded.trial.end()); };
  CHECK(support::run(loaded.model, as(std::uint8_t{}), 1, loaded.bins) == expected);
  CHECK(support::run(loaded.model, as(std::int16_t{}), 1, loaded.bins) == expected);
  CHECK(support::run(loaded.model, as(std::uint64_t{}), 1, loaded.bins) == expected);
  CHECK(support::run(loaded.model, as(float{}), 1, loaded.bins) == expected);
  CHECK(support::run(loaded.model, as(double{}), 1, loaded.bins) == expected);
}

TEST_CASE("a bin's output depends on L * CF bins ahead and L * CB back, and on none beyond", "[model][context]") {
  // width34_bins37 reads 4 ahead and 8 back in each of 2 layers.
  const Loaded loaded("width34_bins37");
  const std::size_t N = loaded.golden.config().neurons, ahead = 2 * 4, back = 2 * 8;
  const auto before = support::run(loaded.model, loaded.trial, 1, loaded.bins);
  const std::size_t changed = GENERATE(values<std::size_t>({0, 11, 20, 36}));
  Counts trial = loaded.trial;
  for (std::size_t n = 0; n < N; ++n) trial[changed * N + n] = 3 - std::min<std::int64_t>(3, trial[changed * N + n]);
  const auto after = support::run(loaded.model, trial, 1, loaded.bins);
  for (std::size_t t = 0; t < loaded.bins; ++t) {
    INFO("bin " << t << ", changed " << changed);
    const bool reads = t + ahead >= changed && t <= changed + back;
    CHECK(reads != (slice(before.log_rates, t, loaded.bins) == slice(after.log_rates, t, loaded.bins)));
  }
}

TEST_CASE("nothing is written beyond the outputs that are asked for", "[model]") {
  const Loaded loaded("base");
  const std::size_t size = loaded.bins * loaded.golden.config().neurons;
  std::vector<float> log_rates(size + 1, -7.0f), workspace(loaded.model.workspace_size(loaded.bins) + 1, -7.0f);
  loaded.model.forward({.log_rates = log_rates.data()}, loaded.trial.data(), 1, loaded.bins,
                       std::span<float>(workspace).first(workspace.size() - 1));
  CHECK(log_rates.back() == -7.0f);
  CHECK(workspace.back() == -7.0f);
  log_rates.pop_back();
  CHECK(log_rates == support::run(loaded.model, loaded.trial, 1, loaded.bins).log_rates);

  std::vector<float> hidden(loaded.bins * loaded.golden.config().width());
  loaded.model.forward({.hidden = hidden.data()}, loaded.trial.data(), 1, loaded.bins, workspace);
  CHECK(hidden == support::run(loaded.model, loaded.trial, 1, loaded.bins).hidden);
}
