// The recorded HDF5 files, where they are given: all that the tool will want of them can be read.
#include <cmath>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/spikes.hpp"
#include "../support/catch.hpp"
#include "../support/recorded.hpp"
#include "files.hpp"

TEST_CASE("the reference's HDF5 files are read", "[tools][hdf5][reference]") {
  const auto folder = support::recorded_results();
  if (!folder) return;
  int files = 0, gradients = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() != ".h5") continue;
    ++files;
    INFO(entry.path());
    const bool has_gradients = entry.path().stem().extension() == ".grad";
    const tool::SpikeCounts spikes = tool::read_spikes(entry.path(), has_gradients ? "masked" : "spikes");
    CHECK(spikes.counts.size() == spikes.trials * spikes.bins * spikes.neurons);
    const tool::Array<float> loss = tool::read_float(entry.path(), "loss");
    REQUIRE(loss.values.size() == 1);
    CHECK(std::isfinite(loss.values[0]));
    if (!has_gradients) {
      const tool::Array<float> log_rates = tool::read_float(entry.path(), "lograte");
      CHECK(log_rates.shape == tool::Shape{spikes.trials, spikes.bins, spikes.neurons});
      CHECK(tool::read_float(entry.path(), "hidden").shape.size() == 3);
      // The loss ties the three together: Poisson, the mean over all bins.
      double sum = 0;
      for (std::size_t i = 0; i < spikes.counts.size(); ++i) {
        sum += std::exp(double(log_rates.values[i])) - double(spikes.counts[i]) * double(log_rates.values[i]);
      }
      CHECK(std::abs(sum / double(spikes.counts.size()) - double(loss.values[0])) < 1e-5);
      continue;
    }
    const tool::Array<std::int64_t> labels = tool::read_integers(entry.path(), "labels");
    CHECK(labels.shape == tool::Shape{spikes.trials, spikes.bins, spikes.neurons});
    for (const std::int64_t label : labels.values) REQUIRE((label == -100 || label >= 0));
    for (const tool::DatasetInfo& dataset : tool::list_datasets(entry.path())) {
      if (!dataset.name.starts_with("grad/")) continue;
      ++gradients;
      CHECK(tool::read_float(entry.path(), dataset.name).shape == dataset.shape);
    }
  }
  CHECK(files > 0);
  std::printf("  %d files of the reference, %d gradients\n", files, gradients);
}
