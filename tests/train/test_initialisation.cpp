// First values: names, ranges and moments as the reference's modules have them.
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <ndt/model/transformer.hpp>
#include <ndt/train/initialisation.hpp>
#include "../support/catch.hpp"

namespace {

using ndt::Extents;
using ndt::ModelConfig;
using ndt::train::TrainConfig;
using Parameters = std::map<std::string, std::vector<double>>;

ModelConfig small_model() {
  ModelConfig model;
  model.neurons = 31, model.trial_length = 50, model.layers = 6, model.hidden_size = 128, model.max_spikes = 40;
  model.learnable_position = true;
  return model;
}

/// Every parameter that the model itself names.
Parameters all_parameters(const ModelConfig& model, const TrainConfig& config) {
  REQUIRE(model.validate().ok());
  Parameters all;
  ndt::DynamicTransformer<ndt::simd::scalar<double>>(ndt::DynamicShape{model})
      .visit_tensors([&](const ndt::Name& name, const double*, const ndt::TensorSpec& spec) {
        std::vector<double> values(spec.extents.count(), -7.0);
        ndt::train::initialise<double>(name, spec.extents, values, model, config);
        all[std::string(name.view())] = std::move(values);
      });
  return all;
}

double rms(const std::vector<double>& x, std::size_t from = 0) {
  double sum = 0.0;
  for (std::size_t i = from; i < x.size(); ++i) sum += x[i] * x[i];
  return std::sqrt(sum / static_cast<double>(x.size() - from));
}

/// Inside the bound and over the whole of it: extremes, mean and variance within five sigmas.
void check_uniform(const std::vector<double>& x, double bound) {
  const auto n = static_cast<double>(x.size());
  double lowest = 1e9, highest = -1e9, mean = 0.0, square = 0.0;
  for (const double value : x) {
    lowest = std::min(lowest, value), highest = std::max(highest, value);
    mean += value / n, square += value * value / n;
  }
  CHECK((lowest >= -bound && highest <= bound));
  CHECK(lowest < -bound * (1.0 - 40.0 / n));
  CHECK(highest > bound * (1.0 - 40.0 / n));
  CHECK(std::abs(mean) < 5.0 * bound / std::sqrt(3.0 * n));
  CHECK(std::abs(square / (bound * bound) - 1.0 / 3.0) < 5.0 * std::sqrt(4.0 / 45.0 / n));
}

const std::string layer = "transformer_encoder.layers.3.";

TEST_CASE("parameters begin in the ranges of the reference's modules", "[train][initialisation]") {
  Parameters p = all_parameters(small_model(), {});
  const double D = 62.0, F = 128.0;
  check_uniform(p["embedder.0.weight"], 0.1);
  check_uniform(p["decoder.0.weight"], 0.1);
  check_uniform(p[layer + "self_attn.in_proj_weight"], std::sqrt(6.0 / (4.0 * D)));
  check_uniform(p[layer + "self_attn.out_proj.weight"], 1.0 / std::sqrt(D));
  check_uniform(p[layer + "linear1.weight"], 1.0 / std::sqrt(D));
  check_uniform(p[layer + "linear1.bias"], 1.0 / std::sqrt(D));
  check_uniform(p[layer + "linear2.weight"], 1.0 / std::sqrt(F));
  check_uniform(p[layer + "linear2.bias"], 1.0 / std::sqrt(F));
  for (const std::string& name :
       {layer + "self_attn.in_proj_bias", layer + "self_attn.out_proj.bias", layer + "norm1.bias", layer + "norm2.bias",
        std::string("decoder.0.bias"), std::string("transformer_encoder.norm.bias")}) {
    CHECK(p.at(name) == std::vector<double>(p.at(name).size(), 0.0));
  }
  for (const std::string& name :
       {layer + "norm1.weight", layer + "norm2.weight", std::string("transformer_encoder.norm.weight")}) {
    CHECK(p.at(name) == std::vector<double>(62, 1.0));
  }
}

TEST_CASE("learned positions are normal", "[train][initialisation]") {
  const auto x = all_parameters(small_model(), {}).at("pos_encoder.pos_embedding.weight");
  const auto n = static_cast<double>(x.size());
  REQUIRE(x.size() == 50 * 62);
  double mean = 0.0, square = 0.0, fourth = 0.0, beyond_two = 0.0, lag = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean += x[i] / n, square += x[i] * x[i] / n, fourth += std::pow(x[i], 4) / n;
    beyond_two += std::abs(x[i]) > 2.0;
    if (i > 0) lag += x[i] * x[i - 1] / n;  // the two of a pair are independent
  }
  CHECK(std::abs(mean) < 5.0 / std::sqrt(n));
  CHECK(std::abs(square - 1.0) < 5.0 * std::sqrt(2.0 / n));
  CHECK(std::abs(fourth - 3.0) < 5.0 * std::sqrt(96.0 / n));
  CHECK(std::abs(beyond_two - 0.0455 * n) < 5.0 * std::sqrt(0.0455 * n));
  CHECK(std::abs(lag) < 5.0 / std::sqrt(n));
}

TEST_CASE("T-Fixup scales what its paper scales, and what the reference does on request", "[train][initialisation]") {
  TrainConfig config;
  Parameters plain = all_parameters(small_model(), config);
  config.fixup_init = true;
  Parameters fixed = all_parameters(small_model(), config);
  config.reproduce = true;
  Parameters reproduced = all_parameters(small_model(), config);
  config.reproduce = false, config.fixup_values = false;
  Parameters without = all_parameters(small_model(), config);
  const double factor = 0.67 * std::pow(6.0, -0.25);
  const auto scaled = [](std::vector<double> x, double by, std::size_t from = 0) {
    for (std::size_t i = from; i < x.size(); ++i) x[i] *= by;
    return x;
  };
  const auto near = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return a.size() == b.size() && worst < 1e-15;
  };
  const std::set<std::string> weights = {"self_attn.out_proj.weight", "linear1.weight", "linear2.weight"};
  for (const auto& [name, values] : plain) {
    INFO(name);
    const std::string in_layer = name.rfind("transformer_encoder.layers.", 0) == 0 ? name.substr(29) : "";
    CHECK(near(reproduced[name], scaled(values, weights.count(in_layer) == 1 ? factor : 1.0)));
    CHECK(without[name] == reproduced[name]);
    if (in_layer == "self_attn.in_proj_weight") {
      CHECK(near(fixed[name], scaled(values, factor * std::sqrt(2.0), 2 * values.size() / 3)));
    } else {
      CHECK(fixed[name] == reproduced[name]);
    }
  }
  CHECK(std::abs(rms(fixed[layer + "linear1.weight"]) / rms(plain[layer + "linear1.weight"]) - factor) < 1e-12);
}

TEST_CASE("layers begin alike or not, as asked", "[train][initialisation]") {
  TrainConfig config;
  Parameters alike = all_parameters(small_model(), config);
  config.identical_layers = false;
  Parameters apart = all_parameters(small_model(), config);
  for (const char* name : {"self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear1.bias",
                           "linear2.weight", "linear2.bias"}) {
    const std::string first = std::string("transformer_encoder.layers.0.") + name, other = layer + name;
    CHECK(alike[first] == alike[other]);
    CHECK(apart[first] != apart[other]);
  }
  // No two parameters are drawn from one place.
  std::set<double> beginnings;
  std::size_t drawn = 0;
  for (const auto& [name, values] : apart) {
    if (values[0] == 0.0 || values[0] == 1.0) continue;
    beginnings.insert(values[0] / rms(values));
    ++drawn;
  }
  CHECK(drawn > 30);
  CHECK(beginnings.size() == drawn);
}

TEST_CASE("the same seed gives the same values, in float those of double rounded", "[train][initialisation]") {
  const ModelConfig model = small_model();
  TrainConfig config;
  std::vector<float> single(50 * 62), again(50 * 62), other(50 * 62);
  std::vector<double> twice(50 * 62);
  const char* const name = "pos_encoder.pos_embedding.weight";
  ndt::train::initialise<float>(name, Extents(50, 62), single, model, config);
  ndt::train::initialise<float>(name, Extents(50, 62), again, model, config);
  ndt::train::initialise<double>(name, Extents(50, 62), twice, model, config);
  config.seed = 101;
  ndt::train::initialise<float>(name, Extents(50, 62), other, model, config);
  CHECK(single == again);
  CHECK(single != other);
  for (std::size_t i = 0; i < single.size(); ++i) CHECK(single[i] == static_cast<float>(twice[i]));
}

TEST_CASE("spike embeddings can begin on a logarithmic scale", "[train][initialisation]") {
  TrainConfig config;
  config.spike_log_init = true;
  const auto table = all_parameters(small_model(), config).at("embedder.0.weight");
  REQUIRE(table.size() == 42 * 2);
  double mean = 0.0;
  for (int i = 1; i <= 42; ++i) mean += std::log(i) / 42.0;
  std::vector<double> noise;
  for (std::size_t i = 0; i < table.size(); ++i) {
    noise.push_back(table[i] - 0.1 * (std::log(double(i / 2 + 1)) - mean) / std::log(42.0));
  }
  check_uniform(noise, 0.01 + 1e-12);
}

TEST_CASE("sinusoidal positions are those of the reference", "[train][initialisation]") {
  ModelConfig model = small_model();
  model.learnable_position = false;
  const auto counted_from_one = all_parameters(model, {}).at("pos_encoder.pe");
  model.position_offset = false;
  const auto counted_from_zero = all_parameters(model, {}).at("pos_encoder.pe");
  REQUIRE(counted_from_one.size() == 50 * 62);
  for (std::size_t t = 0; t < 50; ++t) {
    for (std::size_t i = 0; i < 31; ++i) {
      const double frequency = std::exp(double(2 * i) * (-std::log(10000.0) / 62.0));
      CHECK(std::abs(counted_from_one[t * 62 + 2 * i] - std::sin(double(t + 1) * frequency)) < 1e-13);
      CHECK(std::abs(counted_from_one[t * 62 + 2 * i + 1] - std::cos(double(t + 1) * frequency)) < 1e-13);
      CHECK(std::abs(counted_from_zero[t * 62 + 2 * i] - std::sin(double(t) * frequency)) < 1e-13);
    }
  }
}

TEST_CASE("every parameter of every kind of model has first values", "[train][initialisation]") {
  ModelConfig model = small_model();
  model.scale_norm = true, model.decoder_layers = 2, model.embed_dim = 0, model.linear_embedder = true, model.heads = 1;
  Parameters p = all_parameters(model, {});
  CHECK(p["transformer_encoder.norm.scale"] == std::vector<double>{std::sqrt(31.0)});
  check_uniform(p["embedder.weight"], 1.0 / std::sqrt(31.0));
  check_uniform(p["embedder.bias"], 1.0 / std::sqrt(31.0));
  check_uniform(p["decoder.2.weight"], 0.25);
  check_uniform(p["decoder.2.bias"], 0.25);
  CHECK(p["decoder.0.bias"] == std::vector<double>(16, 0.0));
}

TEST_CASE("a name that no model has and values of another shape are refused", "[train][initialisation]") {
  std::vector<float> values(6);
  const auto fill = [&](const char* name, const Extents& shape) {
    ndt::train::initialise<float>(name, shape, values, small_model(), TrainConfig{});
  };
  CHECK_NOTHROW(fill("decoder.0.bias", Extents(6)));
  CHECK_NOTHROW(fill("decoder.0.weight", Extents(2, 3)));
  CHECK_THROWS_AS(fill("decoder.0.bias", Extents(7)), std::invalid_argument);
  CHECK_THROWS_AS(fill("decoder.1.bias", Extents(6)), std::invalid_argument);
  CHECK_THROWS_AS(fill("norm.weight", Extents(6)), std::invalid_argument);
  CHECK_THROWS_AS(fill("transformer_encoder.layers.", Extents(6)), std::invalid_argument);
  CHECK_THROWS_AS(fill("transformer_encoder.layers.0.linear3.bias", Extents(6)), std::invalid_argument);
}

}  // namespace
