// tools/io/model_config.cpp
#include "model_config.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "json_text.hpp"
#include "model_fields.hpp"

namespace tool {

namespace {

/// Reads fields by key, leaving those alone that the configuration does not have.
class Reader {
 public:
  Reader(const Settings& settings, const std::string& where) : settings_(settings), where_(where) {}

  void field(const char* key, std::size_t& value) const { number(key, value, 0); }
  void field(const char* key, std::int64_t& value) const { number(key, value, std::int64_t{INT32_MIN}); }
  void field(const char* key, bool& value) const {
    const auto setting = settings_(key);
    if (!setting) return;
    const bool* const given = std::get_if<bool>(&*setting);
    if (given == nullptr) refuse(key, *setting, "True or False is expected");
    value = *given;
  }
  void field(const char* key, double& value) const {
    const auto setting = settings_(key);
    if (!setting) return;
    if (const auto* const real = std::get_if<double>(&*setting)) {
      value = *real;
    } else if (const auto* const integer = std::get_if<std::int64_t>(&*setting)) {
      value = static_cast<double>(*integer);
    } else {
      refuse(key, *setting, "a number is expected");
    }
  }
  void field(const char* key, ndt::Activation& value) const {
    const auto setting = settings_(key);
    if (!setting) return;
    const std::string* const given = std::get_if<std::string>(&*setting);
    if (given != nullptr && *given == "relu") {
      value = ndt::Activation::relu;
    } else if (given != nullptr && *given == "gelu") {
      value = ndt::Activation::gelu;
    } else {
      refuse(key, *setting, "relu or gelu is expected");
    }
  }
  /// The one value that a key may have, if it is there.
  void only(const char* key, const std::string& value, const std::string& reason) const {
    const auto setting = settings_(key);
    if (!setting) return;
    const std::string* const given = std::get_if<std::string>(&*setting);
    if (given == nullptr || *given != value) refuse(key, *setting, value + " is expected: " + reason);
  }
  [[noreturn]] void refuse(const char* key, const Setting& setting, const std::string& right) const {
    throw Refused(std::string(key) + " is " + text_of(setting), where_, right);
  }

 private:
  template <class T>
  void number(const char* key, T& value, std::int64_t smallest) const {
    const auto setting = settings_(key);
    if (!setting) return;
    std::int64_t given = 0;
    if (const auto* const integer = std::get_if<std::int64_t>(&*setting)) {
      given = *integer;
    } else if (const auto* const real = std::get_if<double>(&*setting);
               real != nullptr && std::abs(*real) < 0x1p53 && *real == std::floor(*real)) {
      // max_spikes is a floating number where the training data were.
      given = static_cast<std::int64_t>(*real);
    } else {
      refuse(key, *setting, "an integer is expected");
    }
    if (given < smallest || given > std::int64_t{INT32_MAX}) {
      refuse(key, *setting, "an integer from " + std::to_string(smallest) + " to 2147483647 is expected");
    }
    value = static_cast<T>(given);
  }
  static std::string text_of(const Setting& setting) {
    if (const auto* const flag = std::get_if<bool>(&setting)) return *flag ? "True" : "False";
    if (const auto* const integer = std::get_if<std::int64_t>(&setting)) return std::to_string(*integer);
    if (const auto* const real = std::get_if<double>(&setting)) return fmt::format("{}", *real);
    if (const auto* const text = std::get_if<std::string>(&setting)) return printable(*text);
    return "neither a number nor text";
  }

  const Settings& settings_;
  const std::string& where_;
};

nlohmann::json json_of(const ndt::ModelConfig& config) {
  nlohmann::json root;
  visit_model_fields(config, [&](std::string_view key, const auto& value) {
    nlohmann::json& node = at_key(root, key);
    if constexpr (std::is_same_v<decltype(value), const ndt::Activation&>) {
      node = value == ndt::Activation::gelu ? "gelu" : "relu";
    } else {
      node = value;
    }
  });
  return root;
}

std::optional<Setting> find(const nlohmann::json& root, std::string_view key) {
  const nlohmann::json* node = &root;
  for (;;) {
    const std::size_t dot = key.find('.');
    if (!node->is_object()) return std::nullopt;
    const auto found = node->find(std::string(key.substr(0, dot)));
    if (found == node->end()) return std::nullopt;
    node = &*found;
    if (dot == std::string_view::npos) break;
    key.remove_prefix(dot + 1);
  }
  if (node->is_boolean()) return node->get<bool>();
  if (node->is_number_unsigned() && node->get<std::uint64_t>() > std::uint64_t{INT64_MAX}) return Other{};
  if (node->is_number_integer()) return node->get<std::int64_t>();
  if (node->is_number_float()) return node->get<double>();
  if (node->is_string()) return node->get<std::string>();
  return Other{};
}

}  // namespace

void check_model(const ndt::ModelConfig& config, const std::string& where) {
  if (const ndt::Status status = config.validate(); !status.ok()) {
    std::string what(status.message());
    what += ": " + std::string(status.where.view());
    if (status.found.rank > 0) what += " " + std::to_string(status.found.size[0]);
    std::string right = "a model that can exist is expected";
    if (status.error == ndt::Error::heads_do_not_divide_width) {
      right = "a divisor of the width " + std::to_string(config.width()) + " is expected";
    } else if (status.expected.rank > 0) {
      right = "at most " + std::to_string(status.expected.size[0]) + " is expected";
    }
    throw Refused(what, where, right);
  }
}

ndt::ModelConfig read_config(const Settings& settings, const std::string& where) {
  ndt::ModelConfig config;
  const Reader reader(settings, where);
  visit_model_fields(config, [&](const char* key, auto& value) { reader.field(key, value); });
  reader.only("MODEL.NAME", "NeuralDataTransformer", "the reference's other models have no weights to run");
  reader.only("MODEL.LOSS.TYPE", "poisson", "the reference itself has no working forward pass with another");
  // The reference takes every number of layers but one for two.
  if (config.decoder_layers == 0) config.decoder_layers = 2;
  check_model(config, where);
  return config;
}

double read_loss_topk(const Settings& settings, const std::string& where) {
  static constexpr const char* key = "MODEL.LOSS.TOPK";
  const Reader reader(settings, where);
  double share = 1;
  reader.field(key, share);
  if (!(share >= 0)) reader.refuse(key, share, "a share from 0 to 1 is expected");
  return std::min(share, 1.0);  // the reference takes more for all
}

std::string config_text(const ndt::ModelConfig& config) { return json_of(config).dump(); }

ndt::ModelConfig parse_config_text(std::string_view text, const std::string& where) {
  const nlohmann::json root = parse_json(text, where);
  const ndt::ModelConfig config = read_config([&](std::string_view key) { return find(root, key); }, where);
  if (config_text(config) != text) {
    throw Refused("the configuration has keys that are missing, unknown or spelled otherwise", where,
                  "what this tool writes is expected");
  }
  return config;
}

}  // namespace tool
