// ndt convert IN OUT: a PyTorch checkpoint to our model file, or to a header for firmware.
#include <fmt/format.h>

#include <cctype>
#include <memory>
#include <optional>

#include "../io/model_file.hpp"
#include "../io/refused.hpp"
#include "../io/reserved_name.hpp"
#include "command.hpp"

namespace tool {
namespace {

struct Options {
  std::string in, out;
  std::optional<std::string> name;
  std::optional<double> bin_width;
};

/// A file's name made into an identifier, for a header that was not given one.
std::string identifier(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name = "model_" + name;
  return name;
}

Answer convert(const Options& options) {
  const std::filesystem::path out = options.out;
  refuse_other_endings(out, {".safetensors", ".hpp"});
  require_output(out, {options.in});
  if (options.name) check_model_name(*options.name);
  if (options.bin_width && !is_bin_width(*options.bin_width)) {
    throw Refused(fmt::format("a bin width of {} s", *options.bin_width), "--bin-width", "1e-6 to 3600 seconds");
  }
  ModelFile model = read_model(options.in);
  if (options.name) model.name = *options.name;
  if (options.bin_width) model.bin_width = options.bin_width;
  if (out.extension() == ".hpp") {
    if (model.name.empty()) model.name = identifier(out);
    write_header(model, out);
  } else {
    pack(model, options.in);  // only what can be run is written
    write_safetensors(model, out);
  }
  std::size_t parameters = 0;
  for (const auto& [name, tensor] : model.tensors) parameters += tensor.values.size();
  const auto bytes = std::filesystem::file_size(out);
  Answer answer;
  answer.json = {{"out", options.out}, {"tensors", model.tensors.size()}, {"values", parameters}, {"bytes", bytes}};
  answer.text = fmt::format("{}: {}, {}, {}\n", options.out, counted(model.tensors.size(), "tensor"),
                            counted(parameters, "value"), counted(bytes, "byte"));
  return answer;
}

}  // namespace

void add_convert(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("convert", "a PyTorch checkpoint to a model file or a firmware header");
  auto options = std::make_shared<Options>();
  command->add_option("IN", options->in, ".pth, .pt or .safetensors")->required();
  command->add_option("OUT", options->out, ".safetensors or .hpp")->required();
  command->add_option("--name", options->name, "the model's name: the namespace of a header");
  command->add_option("--bin-width", options->bin_width, "seconds in a bin")->type_name("S");
  command->callback([options, &run] { run = [options](const Common&) { return convert(*options); }; });
}

}  // namespace tool
