// tools/io/checkpoint.cpp
#include "checkpoint.hpp"

#include "bytes.hpp"
#include "model_config.hpp"

namespace tool {

namespace {

using pickle::Kind;
using pickle::Value;

class Checkpoint {
 public:
  explicit Checkpoint(TorchFile& file) : file_(file), document_(file.document()), root_(document_.top()) {}

  ModelFile read() {
    check_parts();
    ModelFile model;
    const Settings settings = [this](std::string_view key) { return setting(key); };
    model.config = read_config(settings, file_.where() + " config");
    model.loss_topk = read_loss_topk(settings, file_.where() + " config");
    // The reference chops its data to this length; -1 leaves them as they are.
    if (const auto chop = setting("MODEL.TRIAL_LENGTH")) {
      const auto* const length = std::get_if<std::int64_t>(&*chop);
      if (length != nullptr && *length > 0 && static_cast<std::size_t>(*length) != model.config.trial_length) {
        throw Refused("the configuration contradicts itself: MODEL.TRIAL_LENGTH is " + std::to_string(*length) +
                          " and trial_length is " + std::to_string(model.config.trial_length),
                      file_.where() + " config", "the same number twice is expected");
      }
    }
    read_tensors(model);
    return model;
  }

 private:
  /// All that is missing at once: a file of bare tensors lacks nearly everything.
  void check_parts() const {
    std::string missing;
    const auto need = [&](bool there, const char* name) {
      if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
    };
    const auto is_dict = [&](const char* key) {
      const Value* const value = document_.find(root_, key);
      return value != nullptr && value->kind == Kind::dict;
    };
    need(is_dict("state_dict"), "state_dict");
    need(is_dict("config"), "config");
    if (is_dict("config")) {
      const Value* const model = document_.find(*document_.find(root_, "config"), "MODEL");
      need(model != nullptr && model->kind == Kind::dict, "config.MODEL");
    }
    for (const char* const key : {"num_neurons", "trial_length", "max_spikes"}) need(setting(key).has_value(), key);
    if (missing.empty()) return;
    throw Refused("the checkpoint has no " + missing, file_.where(),
                  "a dictionary with state_dict, config, num_neurons, trial_length and max_spikes is expected");
  }

  std::optional<Setting> setting(std::string_view key) const {
    const bool of_config = key.substr(0, 6) == "MODEL.";
    const Value* value = of_config ? document_.find(root_, "config") : &root_;
    for (std::string_view rest = key; value != nullptr && !rest.empty();) {
      const std::size_t dot = rest.find('.');
      value = document_.find(*value, rest.substr(0, dot));
      rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
    }
    if (value == nullptr && !of_config) {
      const Value* const extra = document_.find(root_, "extra_state");
      if (extra != nullptr) value = document_.find(*extra, key);
    }
    if (value == nullptr) return std::nullopt;
    switch (value->kind) {
      case Kind::boolean:
        return value->integer != 0;
      case Kind::integer:
        return value->integer;
      case Kind::real:
        return value->real;
      case Kind::text:
        return std::string(value->text);
      case Kind::tensor:
        return setting_of_tensor(*value, std::string(key));
      default:
        return Other{};
    }
  }
  /// max_spikes may be a tensor of one number.
  Setting setting_of_tensor(const Value& value, const std::string& key) const {
    const Tensor tensor = file_.tensor(value, key);
    if (tensor.values.size() == 1) return static_cast<double>(tensor.values[0]);
    if (tensor.integers.size() == 1) return tensor.integers[0];
    return Other{};
  }

  void read_tensors(ModelFile& model) {
    static constexpr std::string_view of_several_gpus = "module.";
    const Value& state = *document_.find(root_, "state_dict");
    for (std::size_t i = 0; i + 1 < state.items.size(); i += 2) {
      const Value& key = document_[state.items[i]];
      if (key.kind != Kind::text)
        throw Refused("a tensor has no name", file_.where() + " state_dict", "text is expected");
      std::string_view name = key.text;
      if (name.substr(0, of_several_gpus.size()) == of_several_gpus) name.remove_prefix(of_several_gpus.size());
      const std::string shown = printable(name);
      if (!model.tensors.emplace(name, file_.tensor(document_[state.items[i + 1]], shown)).second) {
        throw Refused("the state_dict has a tensor twice", file_.where() + " tensor " + shown, "once is expected");
      }
    }
  }

  TorchFile& file_;
  const pickle::Document& document_;
  const Value& root_;
};

}  // namespace

ModelFile read_checkpoint(TorchFile& file) { return Checkpoint(file).read(); }

}  // namespace tool
