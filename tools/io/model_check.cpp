// tools/io/model_check.cpp
#include "model_check.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "bytes.hpp"

namespace tool {

namespace {

class Check {
 public:
  Check(const ModelFile& model, const std::string& where) : model_(model), config_(model.config), where_(where) {}

  /// What the configuration says and the tensors show, one by one, so that the message is about the cause: a wrong
  /// width would otherwise be reported as the wrong shape of whichever tensor comes first.
  void contradictions() const {
    const std::string layer = "transformer_encoder.layers.0.", positions = "pos_encoder.pos_embedding.weight";
    // Before anything is done for every layer that the configuration claims.
    if (const std::size_t found = layers(); found != config_.layers) {
      contradiction("MODEL.NUM_LAYERS is " + std::to_string(config_.layers),
                    "there are tensors of " + counted(found, "layer"), "one set transformer_encoder.layers.* a layer");
    }
    kind("MODEL.DECODER.LAYERS", config_.has_deep_decoder() ? "more than 1" : "1", config_.has_deep_decoder(),
         "decoder.2.weight");
    const std::string last = config_.has_deep_decoder() ? "decoder.2." : "decoder.0.";
    dimension("num_neurons", config_.neurons, last + "weight", 0);
    dimension("num_neurons", config_.neurons, last + "bias", 0);

    kind("MODEL.LINEAR_EMBEDDER", config_.linear_embedder ? "True" : "False", config_.linear_embedder,
         "embedder.weight");
    kind("MODEL.EMBED_DIM", config_.linear_embedder ? "without a table" : std::to_string(config_.embed_dim),
         config_.has_table(), "embedder.0.weight");
    if (config_.has_table()) {
      dimension("MODEL.EMBED_DIM", config_.embed_dim, "embedder.0.weight", 1);
      if (const auto rows = size_of("embedder.0.weight", 0); rows && *rows != config_.table_rows()) {
        refuse("max_spikes is " + std::to_string(config_.max_spikes) + ", for which a table has " +
                   counted(config_.table_rows(), "row"),
               "embedder.0.weight", "has " + std::to_string(*rows));
      }
    }
    dimension("the width, num_neurons x max(MODEL.EMBED_DIM, 1),", config_.width(), layer + "norm1.weight", 0);
    dimension("the width, num_neurons x max(MODEL.EMBED_DIM, 1),", config_.width(), layer + "linear1.weight", 1);
    dimension("MODEL.HIDDEN_SIZE", config_.hidden_size, layer + "linear1.weight", 0);

    kind("MODEL.LEARNABLE_POSITION", config_.learnable_position ? "True" : "False", config_.learnable_position,
         positions);
    dimension("trial_length", config_.trial_length, config_.learnable_position ? positions : "pos_encoder.pe", 0);
    dimension("trial_length", config_.trial_length, "pos_encoder.pe", 0);
    kind("MODEL.SCALE_NORM", config_.scale_norm ? "True" : "False", config_.scale_norm,
         "transformer_encoder.norm.scale");
  }

  /// All that is wrong at once: a checkpoint of another program differs in many names.
  void tensors() const {
    std::set<std::string_view> known;
    std::vector<std::string> wrong;
    const auto of_shape = [](const auto& name, const std::vector<std::size_t>& shape) {
      return printable(name) + " of shape " + shape_text(shape);
    };
    visit([&](std::string_view name, const ndt::TensorSpec& spec) {
      const std::vector<std::size_t> expected = shape_of(spec.extents);
      const auto found = model_.tensors.find(name);
      if (found == model_.tensors.end()) return wrong.push_back(of_shape(name, expected) + " is missing");
      known.insert(found->first);
      const Tensor& tensor = found->second;
      if (tensor.shape != expected) {
        wrong.push_back(of_shape(name, tensor.shape) + " should have shape " + shape_text(expected));
      } else if (!tensor.integers.empty()) {
        wrong.push_back(of_shape(name, expected) + " holds integers and should hold floating numbers");
      }
      // The rows that learned positions are read from; a file may leave them out.
      const auto index = model_.tensors.find(spec.row_index);
      if (spec.row_index.empty() || index == model_.tensors.end()) return;
      known.insert(index->first);
      if (index->second.integers.size() != expected[0]) {
        wrong.push_back(of_shape(spec.row_index, index->second.shape) +
                        (index->second.integers.empty() ? " holds no integers and" : "") +
                        " should hold integers of shape " + shape_text({expected[0], 1}));
      }
    });
    for (const auto& [name, tensor] : model_.tensors) {
      if (known.count(name) == 0) wrong.push_back(of_shape(name, tensor.shape) + " is not the model's");
    }
    if (wrong.empty()) return;
    constexpr std::size_t most = 8;
    std::string what;
    for (std::size_t i = 0; i < std::min(most, wrong.size()); ++i) what += (i > 0 ? "; " : "tensor ") + wrong[i];
    if (wrong.size() > most) what += "; and " + std::to_string(wrong.size() - most) + " more";
    throw Refused(what, where_, "exactly the tensors of a model of this configuration are expected");
  }

 private:
  /// f(name, spec) for every tensor of a model of this configuration.
  template <class F>
  void visit(F&& f) const {
    ndt::DynamicTransformer<>(ndt::DynamicShape{config_})
        .visit_tensors([&](const ndt::Name& name, const float*, const ndt::TensorSpec& spec) { f(name.view(), spec); });
  }
  /// What the configuration would have of a tensor, for messages.
  std::string expectation(std::string_view tensor) const {
    std::string shape;
    visit([&](std::string_view name, const ndt::TensorSpec& spec) {
      if (name == tensor) shape = shape_text(shape_of(spec.extents));
      if (spec.row_index == tensor) shape = shape_text({spec.extents.size[0], 1});
    });
    return printable(tensor) + (shape.empty() ? " is not part of" : " has shape " + shape + " in") +
           " a model of this configuration";
  }
  [[noreturn]] void refuse(const std::string& claim, const std::string& tensor, const std::string& fact) const {
    contradiction(claim, tensor + " " + fact, expectation(tensor));
  }
  [[noreturn]] void contradiction(const std::string& claim, const std::string& fact, const std::string& right) const {
    throw Refused("configuration and tensors contradict one another: " + claim + " but " + fact, where_, right);
  }
  std::optional<std::size_t> size_of(const std::string& tensor, std::size_t dimension) const {
    const auto found = model_.tensors.find(tensor);
    if (found == model_.tensors.end() || found->second.shape.size() <= dimension) return std::nullopt;
    return found->second.shape[dimension];
  }
  /// A dimension of a tensor that is there; a missing one is reported as such later.
  void dimension(const std::string& key, std::size_t claimed, const std::string& tensor, std::size_t d) const {
    const auto found = size_of(tensor, d);
    if (found && *found != claimed) {
      refuse(key + " is " + std::to_string(claimed), tensor,
             "has shape " + shape_text(model_.tensors.find(tensor)->second.shape));
    }
  }
  /// A tensor that is there for one value of a switch only.
  void kind(const std::string& key, const std::string& value, bool expected, const std::string& tensor) const {
    const bool found = model_.tensors.count(tensor) != 0;
    if (found == expected) return;
    const std::string shape = found ? shape_text(model_.tensors.find(tensor)->second.shape) : "";
    refuse(key + " is " + value, tensor, found ? "is there, of shape " + shape : "is not there");
  }
  std::size_t layers() const {
    static constexpr std::string_view prefix = "transformer_encoder.layers.";
    std::set<std::size_t> numbers;
    for (auto it = model_.tensors.lower_bound(prefix); it != model_.tensors.end(); ++it) {
      if (it->first.compare(0, prefix.size(), prefix) != 0) break;
      std::size_t number = 0;
      const char* const end = it->first.data() + it->first.size();
      const auto result = std::from_chars(it->first.data() + prefix.size(), end, number);
      if (result.ec == std::errc() && result.ptr != end && *result.ptr == '.') numbers.insert(number);
    }
    return numbers.size();
  }

  const ModelFile& model_;
  const ndt::ModelConfig& config_;
  const std::string& where_;
};

}  // namespace

void check_model(const ModelFile& model, const std::string& where) {
  const Check check(model, where);
  check.contradictions();
  check.tensors();
}

std::vector<std::size_t> shape_of(const ndt::Extents& extents) {
  return {extents.size.begin(), extents.size.begin() + static_cast<std::ptrdiff_t>(extents.rank)};
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace tool
