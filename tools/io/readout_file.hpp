// tools/io/readout_file.hpp: a read-out as a model file holds it: texts in the metadata's `readout`, JSON such as
//   {"features":"log_rates","fingerprint":"00c0ffee00c0ffee","gains":0,"history":8,"kind":"ridge","lag":3,"outputs":2}
// and the tensors readout.weight, readout.bias and, of a Kalman filter, readout.gain and readout.mean
// (ndt/readout/readout.hpp).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model_file.hpp"

namespace tool {

inline const std::map<std::string, ndt::ReadoutKind> readout_kinds = {{"kalman", ndt::ReadoutKind::kalman},
                                                                      {"ridge", ndt::ReadoutKind::ridge}};
inline const std::map<std::string, ndt::ReadoutFeatures> readout_features = {
    {"hidden", ndt::ReadoutFeatures::hidden},
    {"log_rates", ndt::ReadoutFeatures::log_rates},
    {"rates", ndt::ReadoutFeatures::rates}};

/// The name of a value of one of these.
template <class Names, class Value>
const std::string& name_of(const Names& names, const Value& value) {
  for (const auto& [name, named] : names) {
    if (named == value) return name;
  }
  return names.begin()->first;
}

/// All names.
template <class Names>
std::vector<std::string> names_of(const Names& names) {
  std::vector<std::string> all;
  for (const auto& [name, value] : names) all.push_back(name);
  return all;
}

/// For people: what is read out of what.
std::string readout_summary(const ndt::ReadoutConfig& config);

std::string readout_text(const ndt::ReadoutConfig& config);

/// The inverse: nothing may be missing, unknown or spelled otherwise. Throws Refused.
ndt::ReadoutConfig parse_readout_text(std::string_view text, const std::string& where);

/// Throws Refused where a status says that a read-out cannot be.
void require_readout(const ndt::Status& status, const std::string& where);

/// The packed read-out of a model that has one. Throws Refused where it and the model do not fit each other, or where
/// it was fitted for another model; `packed_model` holds the model's packed weights.
std::vector<float> packed_readout(const ModelFile& model, std::span<const float> packed_model,
                                  const std::string& where);

}  // namespace tool
