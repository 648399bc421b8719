// tools/io/readout_file.cpp
#include "readout_file.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "json_text.hpp"
#include "model_check.hpp"
#include "refused.hpp"

namespace tool {

std::string readout_summary(const ndt::ReadoutConfig& c) {
  return fmt::format("{}, {} from the {} of {}, lag {}", name_of(readout_kinds, c.kind), counted(c.outputs, "output"),
                     name_of(readout_features, c.features), counted(c.history, "bin"), c.lag);
}

std::string readout_text(const ndt::ReadoutConfig& c) {
  return nlohmann::json{{"kind", name_of(readout_kinds, c.kind)},
                        {"features", name_of(readout_features, c.features)},
                        {"outputs", c.outputs},
                        {"history", c.history},
                        {"lag", c.lag},
                        {"gains", c.gains},
                        {"fingerprint", fmt::format("{:016x}", c.fingerprint)}}
      .dump();
}

ndt::ReadoutConfig parse_readout_text(std::string_view text, const std::string& where) {
  const nlohmann::json root = parse_json(text, where);
  const auto refuse = [&](const std::string& what) {
    throw Refused(what, where, "what `ndt fit-readout` writes is expected");
  };
  const auto at = [&](const char* key) -> const nlohmann::json& {
    const auto found = root.find(key);
    if (found == root.end()) refuse(std::string("there is no ") + key);
    return *found;
  };
  const auto name = [&](const char* key, const auto& names) {
    const auto found = at(key).is_string() ? names.find(at(key).get<std::string>()) : names.end();
    if (found == names.end()) refuse(std::string(key) + " has no known value");
    return found->second;
  };
  const auto number = [&](const char* key, std::int64_t least) {
    const nlohmann::json& value = at(key);
    const bool large = value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX;
    if (!value.is_number_integer() || large || value.get<std::int64_t>() < least) {
      refuse(std::string(key) + " is no whole number from " + std::to_string(least));
    }
    return value.get<std::int64_t>();
  };
  ndt::ReadoutConfig config;
  config.kind = name("kind", readout_kinds);
  config.features = name("features", readout_features);
  config.outputs = static_cast<std::size_t>(number("outputs", 0));
  config.history = static_cast<std::size_t>(number("history", 0));
  config.lag = number("lag", INT32_MIN);
  config.gains = static_cast<std::size_t>(number("gains", 0));
  const std::string digits = at("fingerprint").is_string() ? at("fingerprint").get<std::string>() : "";
  if (digits.size() == 16) config.fingerprint = std::strtoull(digits.c_str(), nullptr, 16);
  if (readout_text(config) != text) refuse("the read-out has keys that are unknown or spelled otherwise");
  return config;
}

void require_readout(const ndt::Status& status, const std::string& where) {
  if (status.ok()) return;
  std::string right = "a read-out of this model, as `ndt fit-readout` makes them, is expected";
  std::string what(status.message());
  if (status.error == ndt::Error::tensor_not_finite) {
    throw Refused(
        "a weight is NaN or infinite",
        where + " tensor " + std::string(status.where.view()) + " element " + std::to_string(status.found.size[0]),
        "finite numbers are expected");
  }
  if (status.error != ndt::Error::readout_of_another_model) what += ": " + std::string(status.where.view());
  if (status.found.rank > 0) what += " " + shape_text(shape_of(status.found));
  if (status.error == ndt::Error::size_too_large) {
    right = "at most " + std::to_string(status.expected.size[0]);
  } else if (status.expected.rank > 0) {
    right = shape_text(shape_of(status.expected)) + " is expected";
  }
  throw Refused(what, where, right);
}

std::vector<float> packed_readout(const ModelFile& model, std::span<const float> packed_model,
                                  const std::string& where) {
  using V = ndt::simd::native<float>;
  const ndt::ReadoutConfig& config = model.readout->config;
  const Tensors& tensors = model.readout->tensors;
  const std::string place = where + " readout";
  require_readout(config.validate(model.config), place);
  // Nothing is allocated that only the text claims.
  const std::size_t outputs = config.outputs, inputs = config.inputs(model.config);
  const std::size_t gains = config.kind == ndt::ReadoutKind::kalman ? 2 * config.gains * outputs + 1 : 0;
  std::size_t numbers = 0;
  for (const auto& [name, tensor] : tensors) numbers += tensor.values.size();
  // Of which pack_readout names one that is missing.
  const std::size_t count = config.kind == ndt::ReadoutKind::kalman ? 4 : 2;
  if (tensors.size() != count) {
    throw Refused(counted(tensors.size(), "tensor") + " readout.*", place, std::to_string(count) + " are expected");
  }
  if (numbers != outputs * (inputs + 1 + gains)) {
    throw Refused(fmt::format("tensors readout.* of {}", counted(numbers, "number")), place,
                  fmt::format("{} are expected: {} from {}", outputs * (inputs + 1 + gains), outputs, inputs));
  }
  std::vector<float> packed(ndt::readout_packed_size<V>(config, model.config));
  require_readout(ndt::pack_readout<V>(std::span<float>(packed), config, model.config,
                                       [&](std::string_view name) { return stored_tensor(tensors, name); }),
                  place);
  ndt::DynamicTransformer<> bound;
  require_readout(bound.bind({model.config}, packed_model), where);
  if (ndt::fingerprint(bound) != config.fingerprint) {
    require_readout({ndt::Error::readout_of_another_model, "readout", {}, {}}, place);
  }
  return packed;
}

}  // namespace tool
