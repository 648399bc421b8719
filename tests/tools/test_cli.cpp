// The tool as a user meets it: its files, its answers, its exit status.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/recorded.hpp"
#include "counts_file.hpp"
#include "desk.hpp"
#include "files.hpp"
#include "npy_bytes.hpp"

using support::check_refused, support::contents, support::Desk, support::Ran, support::write_counts;

namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path(NDT_SOURCE_DIR) / "tests/fixtures";

nlohmann::json inspected(const Desk& desk, const std::string& model) {
  const Ran ran = desk.ndt("inspect " + model + " --json");
  REQUIRE(ran.status == 0);
  return nlohmann::json::parse(ran.out);
}

}  // namespace

TEST_CASE("a checkpoint is converted, inspected and run in both containers, with the same rates", "[tools][cli]") {
  const Desk desk;
  const std::string file = GENERATE("tiny.pth", "tiny.legacy.pth", "tiny.deflated.pth");
  INFO(file);
  const Ran converted =
      desk.ndt("convert " + (fixtures / file).string() + " m.safetensors --bin-width 0.01 --name tiny");
  REQUIRE(converted.status == 0);
  CHECK(converted.err.empty());
  const auto j = inspected(desk, "m.safetensors");
  CHECK(j["name"] == "tiny");
  CHECK(j["bin_width"] == 0.01);
  const auto N = j["neurons"].get<std::size_t>(), T = j["trial_length"].get<std::size_t>();
  write_counts(desk / "counts.h5", {3, T, N});
  REQUIRE(desk.ndt("infer m.safetensors counts.h5 converted.h5 --hidden --layers --attention").status == 0);
  REQUIRE(desk.ndt("infer " + (fixtures / file).string() + " counts.h5 direct.h5 --threads 2").status == 0);
  const auto log_rates = tool::read_float(desk / "converted.h5", "log_rates");
  CHECK(log_rates.shape == tool::Shape{3, T, N});
  CHECK(log_rates.values == tool::read_float(desk / "direct.h5", "log_rates").values);
  auto rates = tool::read_float(desk / "converted.h5", "rates").values;
  std::vector<double> expected(rates.size());
  for (std::size_t i = 0; i < rates.size(); ++i) expected[i] = std::exp(static_cast<double>(log_rates.values[i]));
  CHECK(support::worst_error(rates, expected) < 1e-6);
  for (double& rate : expected) rate *= 100;
  CHECK(support::worst_error(tool::read_float(desk / "converted.h5", "rates_hz").values, expected) < 1e-6);
  const auto D = j["width"].get<std::size_t>(), L = j["layers"].get<std::size_t>();
  CHECK(tool::read_float(desk / "converted.h5", "hidden").shape == tool::Shape{3, T, D});
  CHECK(tool::read_float(desk / "converted.h5", "layers").shape == tool::Shape{3, L, T, D});
  CHECK(tool::read_float(desk / "converted.h5", "attention").shape == tool::Shape{3, L, T, T});
}

TEST_CASE("a long recording is refused, and blended from windows on request", "[tools][cli]") {
  const Desk desk;
  REQUIRE(desk.ndt("convert " + (fixtures / "tiny.pth").string() + " m.safetensors").status == 0);
  const auto j = inspected(desk, "m.safetensors");
  const auto N = j["neurons"].get<std::size_t>(), T = j["trial_length"].get<std::size_t>();
  const std::size_t bins = 3 * T + 1;
  write_counts(desk / "long.h5", {bins, N});
  const Ran refused = desk.ndt("infer m.safetensors long.h5 out.h5");
  check_refused(refused);
  CHECK(refused.err.find("--chop") != std::string::npos);
  CHECK_FALSE(fs::exists(desk / "out.h5"));

  const std::string chop = "--chop " + std::to_string(T) + " --overlap " + std::to_string(T / 2);
  const Ran chopped = desk.ndt("infer m.safetensors long.h5 out.h5 --json " + chop);
  REQUIRE(chopped.status == 0);
  CHECK(nlohmann::json::parse(chopped.out)["window"] == T);
  const auto blended = tool::read_float(desk / "out.h5", "log_rates");
  CHECK(blended.shape == tool::Shape{bins, N});
  for (const float x : blended.values) REQUIRE(std::isfinite(x));
  // Where only the first window reaches, its result stands unchanged.
  const auto counts = tool::read_integers(desk / "long.h5", "spikes").values;
  const std::vector<std::int32_t> head(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(T * N));
  tool::write_hdf5(desk / "head.h5", {{"spikes", {T, N}, std::span<const std::int32_t>(head)}});
  REQUIRE(desk.ndt("infer m.safetensors head.h5 first.h5").status == 0);
  const auto first = tool::read_float(desk / "first.h5", "log_rates").values;
  const std::size_t alone = (T - T / 2) * N;
  CHECK(std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(alone), blended.values.begin()));

  for (const char* bad : {"--chop 0", "--chop 1000", "--overlap 2", "--attention --chop 4", "--chop 4 --overlap 4"}) {
    INFO(bad);
    const Ran ran = desk.ndt(std::string("infer m.safetensors long.h5 bad.h5 ") + bad);
    check_refused(ran);
    CHECK_FALSE(fs::exists(desk / "bad.h5"));
  }
}

TEST_CASE("chopped trials give the same bits for any number of threads and of trials", "[tools][cli]") {
  const Desk desk;
  const std::string model = (fixtures / "tiny.pth").string();  // 5 positions, 3 neurons
  const std::size_t trials = 3, bins = 70;                     // 23 windows each, more than one batch in all
  write_counts(desk / "all.h5", {trials, bins, 3});
  const std::string chop = " --chop 5 --overlap 2 --hidden --layers --threads ";
  REQUIRE(desk.ndt("infer " + model + " all.h5 one.h5" + chop + "1").status == 0);
  REQUIRE(desk.ndt("infer " + model + " all.h5 two.h5" + chop + "2").status == 0);
  const auto counts = tool::read_integers(desk / "all.h5", "spikes").values;
  for (const char* const output : {"log_rates", "hidden", "layers"}) {
    const auto one = tool::read_float(desk / "one.h5", output).values;
    CHECK(one == tool::read_float(desk / "two.h5", output).values);
    for (std::size_t trial = 0; trial < trials; ++trial) {
      const std::vector<std::int64_t> alone(counts.begin() + static_cast<std::ptrdiff_t>(trial * bins * 3),
                                            counts.begin() + static_cast<std::ptrdiff_t>((trial + 1) * bins * 3));
      tool::write_hdf5(desk / "alone.h5", {{"spikes", {bins, 3}, std::span<const std::int64_t>(alone)}});
      REQUIRE(desk.ndt("infer " + model + " alone.h5 out.h5" + chop + "1").status == 0);
      const auto values = tool::read_float(desk / "out.h5", output).values;
      CHECK(std::equal(values.begin(), values.end(), one.begin() + static_cast<std::ptrdiff_t>(trial * values.size())));
    }
  }
}

TEST_CASE("check passes its own numbers and fails others", "[tools][cli]") {
  const Desk desk;
  const std::string model = (fixtures / "tiny.pth").string();
  const auto j = inspected(desk, model);
  const auto N = j["neurons"].get<std::size_t>(), T = j["trial_length"].get<std::size_t>();
  write_counts(desk / "counts.h5", {2, T, N});
  REQUIRE(desk.ndt("infer " + model + " counts.h5 out.h5 --hidden").status == 0);
  const auto counts = tool::read_integers(desk / "counts.h5", "spikes");
  auto log_rates = tool::read_float(desk / "out.h5", "log_rates");
  const auto hidden = tool::read_float(desk / "out.h5", "hidden");
  const auto record = [&](const char* name) {
    tool::write_hdf5(desk / name, {{"spikes", counts.shape, std::span<const std::int64_t>(counts.values)},
                                   {"lograte", log_rates.shape, std::span<const float>(log_rates.values)},
                                   {"hidden", hidden.shape, std::span<const float>(hidden.values)}});
  };
  record("good.h5");
  const Ran good = desk.ndt("check " + model + " good.h5 --json");
  CHECK(good.status == 0);
  CHECK(nlohmann::json::parse(good.out)["pass"] == true);
  log_rates.values[5] += 1e-3f;
  record("bad.h5");
  const Ran bad = desk.ndt("check " + model + " bad.h5 --json");
  CHECK(bad.status == 1);
  CHECK(nlohmann::json::parse(bad.out)["pass"] == false);
  CHECK(nlohmann::json::parse(bad.out)["max_log_rate_error"].get<double>() > 1e-4);
}

TEST_CASE("check counts the largest losses alone and looks the token of a mask up", "[tools][cli]") {
  const Desk desk;
  const std::string record = " " + (fixtures / "tiny.topk.h5").string();
  REQUIRE(desk.ndt("convert " + (fixtures / "tiny.topk.pth").string() + " m.safetensors").status == 0);
  CHECK(inspected(desk, "m.safetensors")["loss_topk"] == 0.35);
  for (const std::string& model : {(fixtures / "tiny.topk.pth").string(), std::string("m.safetensors")}) {
    const Ran ran = desk.ndt("check " + model + record + " --json --threads 2");
    CHECK(ran.status == 0);
    CHECK(nlohmann::json::parse(ran.out)["loss_error"].get<double>() < 1e-6);
  }
  const Ran all = desk.ndt("check " + (fixtures / "tiny.pth").string() + record + " --json");
  CHECK(all.status == 1);
  CHECK(nlohmann::json::parse(all.out)["max_log_rate_error"].get<double>() < 1e-6);
  CHECK(nlohmann::json::parse(all.out)["loss_error"].get<double>() > 1e-2);
}

TEST_CASE("check refuses a record of masked counts that cannot be", "[tools][cli]") {
  const Desk desk;
  const std::string model = (fixtures / "tiny.pth").string();  // 3 neurons, max_spikes 4
  std::vector<std::int32_t> masked = {0, 1, 5, 0, 6, 0};
  std::vector<std::int64_t> labels(6, 1);
  const float loss = 1;
  const auto refused = [&](const char* part) {
    tool::write_hdf5(desk / "r.h5", {{"masked", {2, 1, 3}, std::span<const std::int32_t>(masked)},
                                     {"labels", {2, 1, 3}, std::span<const std::int64_t>(labels)},
                                     {"loss", {}, std::span<const float>(&loss, 1)}});
    const Ran ran = desk.ndt("check " + model + " r.h5");
    check_refused(ran);
    CHECK(ran.err.find(part) != std::string::npos);
  };
  refused("trial 1, bin 0, neuron 1 has a count of 6, dataset masked of r.h5, at most 5");
  masked[4] = 5;
  labels.assign(6, -100);
  refused("no count has a label");
}

TEST_CASE("an error without bounds is named where JSON has no number for it", "[tools][cli]") {
  const Desk desk;
  const std::string model = (fixtures / "tiny.pth").string();
  const std::vector<std::uint8_t> counts(3, 1);
  const std::vector<float> log_rates = {0, NAN, 0};
  tool::write_hdf5(desk / "r.h5", {{"spikes", {1, 1, 3}, std::span<const std::uint8_t>(counts)},
                                   {"lograte", {1, 1, 3}, std::span<const float>(log_rates)}});
  const Ran ran = desk.ndt("check " + model + " r.h5 --json");
  CHECK(ran.status == 1);
  const auto j = nlohmann::json::parse(ran.out);
  CHECK(j["max_log_rate_error"].is_null());
  CHECK(j["not_finite"] == nlohmann::json{"max_log_rate_error"});
  CHECK(j["max_hidden_error"].is_null());
  CHECK(desk.ndt("check " + model + " r.h5").out.find("not finite") != std::string::npos);
}

TEST_CASE("the firmware header in weights/ is what the tool makes of the model beside it", "[tools][cli]") {
  const Desk desk;
  const fs::path weights = fs::path(NDT_SOURCE_DIR) / "weights";
  REQUIRE(desk.ndt("convert " + (weights / "tiny.safetensors").string() + " tiny.hpp").status == 0);
  CHECK(contents(desk / "tiny.hpp") == contents(weights / "tiny.hpp"));
}

TEST_CASE("what a model looks ahead is said of a layer, of all layers, and of what a trial has of it", "[tools][cli]") {
  const Desk desk;
  const std::string weights = std::string(NDT_SOURCE_DIR) + "/weights/";
  const auto text = [&](const std::string& model) { return desk.ndt("inspect " + weights + model).out; };
  const auto j = inspected(desk, weights + "lorenz.safetensors");
  CHECK(j["context_forward"] == 20);
  CHECK(j["context_forward_in_all"] == 120);
  CHECK(j["look_ahead_bins"] == 49);
  const std::string all = "20 ahead in a layer; 120 ahead in all, at most 49 in a trial of 50 bins\n";
  CHECK(support::has(text("lorenz.safetensors"), all));
  CHECK(support::has(text("lorenz.safetensors"), "input       counts up to 15, "));
  CHECK(support::has(text("lorenz_causal.safetensors"), "0 ahead in a layer; 0 ahead in all\n"));
}

TEST_CASE("help of every subcommand has the options that all of them take", "[tools][cli]") {
  const Desk desk;
  for (const char* command : {"convert", "inspect", "infer", "stream", "check", "evaluate", "fit-readout", "simulate",
                              "simulate lorenz", "train", ""}) {
    INFO(command);
    const Ran ran = desk.ndt(std::string(command) + " --help");
    CHECK(ran.status == 0);
    for (const char* option : {"\n  --json ", "\n  --threads N"}) {
      const std::size_t at = ran.out.find(option);
      CHECK(at != std::string::npos);
      CHECK(ran.out.find(option, at + 1) == std::string::npos);
    }
  }
}

TEST_CASE("an output that cannot be written is refused before any input is read", "[tools][cli]") {
  const Desk desk;
  fs::create_directories(desk / "folder.h5");
  fs::create_directories(desk / "folder.safetensors");
  support::write(desk / "file", "no folder");
  const auto refused = [&](const std::string& arguments, const std::string& out) {
    INFO(arguments);
    const Ran ran = desk.ndt(arguments);
    check_refused(ran);
    CHECK(ran.err.find(out) != std::string::npos);
  };
  for (const std::string out : {"nowhere/o", "file/o", "folder"}) {
    const std::string h5 = out + ".h5", model = out + ".safetensors";
    refused("convert none.pth " + model, model);
    refused("infer none.pth none.h5 " + h5, h5);
    refused("stream none.pth none.h5 --out " + h5, h5);
    refused("evaluate none.pth none.h5 --submission " + h5 + " --dataset-name a", h5);
    refused("fit-readout none.pth none.h5 " + model, model);
    refused("simulate lorenz " + h5 + " --conditions 0", h5);
  }
  CHECK(desk.folder.entries() == 5);  // and out and err: no trace of having looked
}

TEST_CASE("bad usage and bad input get one line, exit 2 and no file", "[tools][cli]") {
  const Desk desk;
  const std::string model = (fixtures / "tiny.pth").string();
  const auto N = inspected(desk, model)["neurons"].get<std::size_t>();
  write_counts(desk / "wide.h5", {1, 2, N + 1});
  write_counts(desk / "flat.h5", {N});
  write_counts(desk / "right.h5", {1, 2, N});
  std::ofstream(desk / "text.pth") << "this is no checkpoint";
  support::write(desk / "counts.npy", support::npy(support::npy_dict("|u1", "(2, 3)"), std::string(6, '\1')));
  REQUIRE(desk.ndt("infer " + model + " counts.npy fine.h5").status == 0);
  const std::vector<std::string> calls = {
      "",
      "nonsense",
      "infer",
      "convert " + model + " out.txt",
      "convert text.pth out.safetensors",
      "convert missing.pth out.safetensors",
      "inspect text.pth",
      "convert " + model + " out.hpp --name 3d",
      "convert " + model + " out.hpp --bin-width -1",
      "convert " + model + " out.hpp --bin-width nan",
      "convert " + model + " out.safetensors --bin-width 1e-300",
      "convert " + model + " out.hpp --name ''",
      "convert " + model + " out.safetensors --name ''",
      "convert " + model + " out.safetensors --name class",
      "convert " + model + " out.hpp --name errno",
      "convert " + model + " errno.hpp",
      "infer " + model + " right.h5 out.npy",
      "infer " + model + " right.h5 plain",
      "infer " + model + " counts.npy out.h5 --key spikes",
      "infer " + model + " right.h5 right.h5",
      "infer " + model + " right.h5 " + model,
      "convert " + model + " no/such/folder/out.safetensors",
      "infer " + model + " wide.h5 out.h5",
      "infer " + model + " flat.h5 out.h5",
      "infer " + model + " wide.h5 out.h5 --key other",
      "infer " + model + " text.pth out.h5",
      "infer " + model + " wide.h5 out.h5 --threads 0",
      "infer " + model + " right.h5 out.h5 --threads 02",
      "infer " + model + " right.h5 out.h5 --chop 03",
      "infer " + model + " right.h5 out.h5 --chop 0x3",
      "infer " + model + " right.h5 out.h5 --chop ' 3'",
      "simulate lorenz out.h5 --seed ' -1'",
      "simulate lorenz out.h5 --bins 010",
      "check " + model + " wide.h5",
  };
  for (const std::string& arguments : calls) {
    INFO(arguments);
    const Ran ran = desk.ndt(arguments);
    check_refused(ran);
    for (const char* out : {"out.h5", "out.hpp", "out.safetensors", "out.txt", "plain", "out.npy", "errno.hpp"})
      CHECK_FALSE(fs::exists(desk / out));
  }
}

TEST_CASE("ndt check passes on every recorded result of the reference", "[tools][cli][reference]") {
  const auto folder = support::recorded_results();
  if (!folder) return;
  const Desk desk;
  std::size_t checked = 0;
  for (const auto& entry : fs::directory_iterator(*folder)) {
    if (entry.path().extension() != ".pth") continue;
    std::string stem = entry.path().stem().string();
    if (stem.ends_with(".legacy")) stem.resize(stem.size() - 7);
    REQUIRE(desk.ndt("convert " + entry.path().string() + " m.safetensors").status == 0);
    for (const char* record : {".h5", ".grad.h5"}) {
      const fs::path path = *folder / (stem + record);
      if (!fs::exists(path)) continue;
      INFO(entry.path() << " " << path);
      for (const std::string& model : {entry.path().string(), std::string("m.safetensors")}) {
        for (const char* threads : {"1", "2"}) {
          const Ran ran = desk.ndt("check " + model + " " + path.string() + " --json --threads " + threads);
          CHECK(ran.status == 0);
          CHECK(nlohmann::json::parse(ran.out)["pass"] == true);
          ++checked;
        }
      }
    }
  }
  CHECK(checked >= 4);
}

TEST_CASE("every option refuses an empty value", "[tools][cli]") {
  const Desk desk;
  std::size_t tried = 0;
  for (const std::string command : {"convert", "inspect", "infer", "stream", "check", "evaluate", "fit-readout",
                                    "simulate lorenz", "simulate chaotic-rnn", "simulate reach", "train"}) {
    std::istringstream help(desk.ndt(command + " --help").out);
    // Of a value there is a type behind the name.
    static const std::regex with_value("^ +(?:-\\w,)?(--[a-z-]+) [^ ].*");
    for (std::string line; std::getline(help, line);) {
      std::smatch found;
      if (!std::regex_match(line, found, with_value)) continue;
      INFO(command << " " << found[1]);
      const Ran ran = desk.ndt(command + " " + found[1].str() + " ''");
      check_refused(ran);
      CHECK(support::has(ran.err, "ndt: error: " + found[1].str()));
      ++tried;
    }
  }
  CHECK(tried > 60);
}

TEST_CASE("what is said to a missing standard stream does not end up in a file", "[tools][cli]") {
  const Desk desk;
  const auto run = [&](const std::string& arguments) {
    return std::system(("cd '" + desk.folder.path().string() + "' && '" + NDT_TOOL + "' " + arguments).c_str());
  };
  REQUIRE(run("simulate lorenz data.h5 --conditions 2 --repeats 5 --bins 6 --neurons 3 >out") == 0);
  support::write(desk / "small.yaml", "MODEL:\n  NUM_LAYERS: 1\n  HIDDEN_SIZE: 4\nTRAIN:\n  NUM_UPDATES: 3\n");
  const std::string call = "train small.yaml --data data.h5 --out ";
  REQUIRE(run(call + "whole >out 2>err") == 0);
  REQUIRE(run(call + "closed >out <&- 2>&-") == 0);
  const auto lines = [&](const char* folder) {
    const std::string log = contents(desk / folder / "log.csv");
    return std::count(log.begin(), log.end(), '\n');
  };
  CHECK(lines("closed/") == lines("whole/"));
  const std::string log = contents(desk / "closed/log.csv");
  CHECK_FALSE(support::has(log, "step "));
  // An answer that nobody can get is an error.
  CHECK(WEXITSTATUS(run(call + "unheard >&- 2>err")) == 1);
  CHECK(support::has(contents(desk / "err"), "cannot write the answer, standard output"));
}
