// tools/io/model_config.hpp: a ModelConfig and the keys of the reference's configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ndt/ndt.hpp>

namespace tool {

/// One value of a configuration. What is neither of these is `Other`.
struct Other {};
using Setting = std::variant<Other, bool, std::int64_t, double, std::string>;

/// Gives the value of a key such as MODEL.DECODER.LAYERS, nothing where the configuration does not have it.
using Settings = std::function<std::optional<Setting>(std::string_view key)>;

/// A ModelConfig from the keys MODEL.* and from num_neurons, trial_length and max_spikes. The reference's own defaults
/// stand for MODEL keys that are missing. Throws Refused for what is of another type or no possible model.
ndt::ModelConfig read_config(const Settings& settings, const std::string& where);

/// MODEL.LOSS.TOPK, 1 where it is missing or more. Throws Refused for what is no share.
double read_loss_topk(const Settings& settings, const std::string& where);

/// Throws Refused where no such model can exist.
void check_model(const ndt::ModelConfig& config, const std::string& where);

/// Every field under the same keys, as JSON in which sections are objects. The same config gives the same text.
std::string config_text(const ndt::ModelConfig& config);

/// The inverse of config_text: nothing may be missing, unknown or spelled otherwise. Throws Refused.
ndt::ModelConfig parse_config_text(std::string_view text, const std::string& where);

}  // namespace tool
