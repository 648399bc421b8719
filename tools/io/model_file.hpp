// tools/io/model_file.hpp: a model as files hold it: configuration, tensors in PyTorch's layout and names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/train/config.hpp>

#include "tensor_file.hpp"

namespace tool {

/// Seconds that a bin can be: a microsecond to an hour. Beyond that a rate in hertz would be no float, or no sense.
inline bool is_bin_width(double seconds) { return seconds >= 1e-6 && seconds <= 3600; }

/// What `ndt fit-readout` adds to a model (readout_file.hpp).
struct StoredReadout {
  ndt::ReadoutConfig config;
  Tensors tensors;  ///< readout.*, in PyTorch's layout
};

struct ModelFile {
  ndt::ModelConfig config;
  Tensors tensors;
  std::optional<double> bin_width;                  ///< seconds, where known
  double loss_topk = 1;                             ///< the share of the largest losses that a loss counts [LOSS.TOPK]
  std::optional<ndt::train::TrainConfig> training;  ///< how it was trained, where this tool did so
  std::optional<StoredReadout> readout;             ///< behaviour from its activity, where it was fitted
  std::string name;                                 ///< an identifier, for generated headers; may be empty
};

/// Reads a PyTorch checkpoint (both containers) or a safetensors model of ours: whichever the content says it is.
/// Throws Refused, naming file and place, for anything that is not a whole and consistent model.
ModelFile read_model(const std::filesystem::path& path);

/// The same from bytes; `where` names them in messages.
ModelFile parse_model(std::string_view bytes, const std::string& where);

/// Packed weights of the model, ready to bind. Throws Refused where tensors and configuration disagree, or where a
/// tensor is left over.
std::vector<float> pack(const ModelFile& model, const std::filesystem::path& path);

/// A tensor by its name, as the library takes it; an empty one where there is none.
ndt::StoredTensor<float> stored_tensor(const Tensors& tensors, std::string_view name);

/// Writes `model` as safetensors. Nothing is left behind when it fails.
void write_safetensors(const ModelFile& model, const std::filesystem::path& path);

/// Writes constexpr packed weights and shape for firmware, in namespace `model.name`.
void write_header(const ModelFile& model, const std::filesystem::path& path);

}  // namespace tool
