// Which models can exist: every setting that may be refused is, by name.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <ndt/model/config.hpp>

#include "../support/catch.hpp"
#include "../support/widths.hpp"

using ndt::Error;
using ndt::ModelConfig;

namespace {

constexpr std::size_t limit = ModelConfig::largest_size;
constexpr std::size_t high_bit = ~(std::numeric_limits<std::size_t>::max() >> 1);

constexpr ModelConfig good() {
  ModelConfig config;
  config.neurons = 30, config.trial_length = 50, config.max_spikes = 9;
  return config;
}

struct Size {
  const char* name;
  std::size_t ModelConfig::*value;
};
constexpr Size sizes[] = {{"neurons", &ModelConfig::neurons},
                          {"trial_length", &ModelConfig::trial_length},
                          {"layers", &ModelConfig::layers},
                          {"heads", &ModelConfig::heads},
                          {"hidden_size", &ModelConfig::hidden_size},
                          {"max_spikes", &ModelConfig::max_spikes},
                          {"decoder_layers", &ModelConfig::decoder_layers}};

void check_refused(const ModelConfig& config, Error error, const std::string& where) {
  const ndt::Status status = config.validate();
  CHECK(status.message() == ndt::Status{error}.message());
  CHECK(status.where.view() == where);
}

}  // namespace

TEST_CASE("an ordinary model is accepted, with every switch", "[core][config]") {
  static_assert(good().validate().ok());
  for (int bits = 0; bits < 256; ++bits) {
    ModelConfig config = good();
    config.full_context = bits & 1, config.context_wrap_initial = bits & 2, config.linear_embedder = bits & 4;
    config.learnable_position = bits & 8, config.position_offset = bits & 16, config.pre_norm = bits & 32;
    config.scale_norm = bits & 64, config.lograte = bits & 128;
    if (!config.validate().ok()) FAIL("switches " << bits);
  }
}

TEST_CASE("a size of zero is refused by name", "[core][config]") {
  for (const Size& size : sizes) {
    ModelConfig config = good();
    config.*size.value = 0;
    check_refused(config, Error::size_is_zero, size.name);
  }
  CHECK(ModelConfig{}.validate().error == Error::size_is_zero);
}

TEST_CASE("a size above the limit is refused by name, with both numbers", "[core][config]") {
  for (const Size& size : sizes) {
    for (const std::size_t value : {limit + 1, high_bit, high_bit + 2, std::numeric_limits<std::size_t>::max()}) {
      INFO(size.name << " " << value);
      ModelConfig config = good();
      config.embed_dim = 0;
      config.*size.value = value;
      check_refused(config, Error::size_too_large, size.name);
      CHECK(config.validate().expected == ndt::Extents(limit));
      CHECK(config.validate().found == ndt::Extents(value));
    }
  }
}

TEST_CASE("a width that is too large is refused, also where the product would overflow", "[core][config]") {
  struct Product {
    std::size_t neurons, embed_dim;
  };
  const std::size_t half = high_bit >> (std::numeric_limits<std::size_t>::digits / 2 - 1);  // its square wraps to 0
  for (const Product& product : {Product{65536, 65537},
                                 {half, half},
                                 {half + 1, half},
                                 {high_bit, 2},
                                 {2, high_bit},
                                 {1, high_bit},
                                 {1, limit + 1},
                                 {limit, 2},
                                 {1025, 1024},
                                 {limit / 3 + 1, 3}}) {
    INFO(product.neurons << " neurons, embed_dim " << product.embed_dim);
    ModelConfig config = good();
    config.neurons = product.neurons, config.embed_dim = product.embed_dim;
    check_refused(config, Error::size_too_large, "width");
  }
  ModelConfig none = good();
  none.neurons = 0, none.embed_dim = high_bit;
  check_refused(none, Error::size_is_zero, "neurons");
}

TEST_CASE("sizes at the limit are accepted where the whole can still be counted", "[core][config]") {
  if constexpr (sizeof(std::size_t) == 8) {
    for (const Size& size : sizes) {
      INFO(size.name);
      ModelConfig config = good();
      config.embed_dim = 1;
      config.*size.value = limit;
      if (config.heads == limit) config.neurons = limit;  // heads divide the width
      CHECK(config.validate().ok());
    }
  }
}

TEST_CASE("a model whose weights could not be counted is refused", "[core][config]") {
  ModelConfig config = good();
  config.embed_dim = 1;
  config.neurons = config.hidden_size = config.layers = limit;
  check_refused(config, Error::size_too_large, "weights and workspace");
}

TEST_CASE("heads must divide the width", "[core][config]") {
  for (const std::size_t heads : support::Sizes{7, 59, 61, 120}) {
    ModelConfig config = good();
    config.heads = heads;
    check_refused(config, Error::heads_do_not_divide_width, "heads");
    CHECK(config.validate().expected == ndt::Extents(60));
    CHECK(config.validate().found == ndt::Extents(heads));
  }
  for (const std::size_t heads : support::Sizes{1, 2, 3, 60}) {
    ModelConfig config = good();
    config.heads = heads;
    CHECK(config.validate().ok());
  }
}

TEST_CASE("an odd width needs learned positions", "[core][config]") {
  ModelConfig config = good();
  config.neurons = 29, config.embed_dim = 1, config.heads = 1;
  check_refused(config, Error::odd_width_for_sinusoidal_positions, "width");
  config.learnable_position = true;
  CHECK(config.validate().ok());
}

TEST_CASE("an epsilon that is no positive number is refused", "[core][config]") {
  using Limits = std::numeric_limits<double>;
  for (const double epsilon : {0.0, -0.0, -1e-5, Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    INFO(epsilon);
    ModelConfig config = good();
    config.norm_epsilon = epsilon;
    check_refused(config, Error::epsilon_not_positive, "norm_epsilon");
  }
}

TEST_CASE("sizes that follow from the settings", "[core][config]") {
  constexpr ModelConfig two = good();
  static_assert(two.width() == 60 && two.head_width() == 30 && two.table_rows() == 11 && two.has_table());
  constexpr ModelConfig zero = [] {
    ModelConfig config = good();
    config.embed_dim = 0, config.decoder_layers = 3;
    return config;
  }();
  static_assert(zero.width() == 30 && !zero.has_table() && zero.has_deep_decoder() && !two.has_deep_decoder());
  constexpr ModelConfig linear = [] {
    ModelConfig config = good();
    config.linear_embedder = true;
    return config;
  }();
  static_assert(linear.width() == 60 && !linear.has_table());
}
