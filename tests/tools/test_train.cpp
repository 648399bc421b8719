// ndt train as a user meets it: files, resuming, and what is refused.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>

#include "../../tools/io/model_file.hpp"
#include "../../tools/io/output_file.hpp"
#include "../../tools/io/tensor_file.hpp"
#include "../support/catch.hpp"
#include "desk.hpp"
#include "hdf5_files.hpp"

using support::check_refused, support::contents, support::Desk, support::is_error_line, support::Ran;

namespace {

/// A folder with a small data set and a configuration that learns little but fast.
struct TrainingDesk : Desk {
  TrainingDesk() {
    put("small.yaml",
        "MODEL:\n  NUM_LAYERS: 1\n  HIDDEN_SIZE: 16\n  EMBED_DIM: 2\n  LEARNABLE_POSITION: True\n  PRE_NORM: True\n"
        "TRAIN:\n  BATCH_SIZE: 16\n  NUM_UPDATES: 60\n  VAL_INTERVAL: 5\n  CHECKPOINT_INTERVAL: 4\n"
        "  MASK_SPAN_RAMP_START: 0\n  MASK_SPAN_RAMP_END: 30\n  MASK_MAX_SPAN: 3\n  LR:\n    SCHEDULE: False\n");
    REQUIRE(ndt("simulate lorenz data.h5 --conditions 8 --repeats 10 --bins 12 --neurons 6").status == 0);
  }
  void put(const char* name, const std::string& text) const { support::write(*this / name, text); }
  Ran train(const std::string& rest) const { return ndt("train small.yaml --data data.h5 " + rest); }
  std::string log_without_seconds(const char* run) const {
    std::istringstream log(contents(*this / run / "log.csv"));
    std::string kept;
    for (std::string line; std::getline(log, line);) {
      const std::size_t first = line.find(','), second = line.find(',', first + 1);
      kept += line.substr(0, first) + line.substr(second) + "\n";
    }
    return kept;
  }
};

/// `ndt train` in the background, in run/, with more steps than it will ever do.
class Running {
 public:
  explicit Running(const TrainingDesk& desk) : pid_(fork()) {
    if (pid_ == 0) {
      const int out = open((desk / "training").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
      const int null = open("/dev/null", O_RDWR);
      dup2(null, STDIN_FILENO), dup2(out, STDOUT_FILENO), dup2(null, STDERR_FILENO);
      // A job in the background may have been started with signals ignored.
      for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
      if (chdir(desk.folder.path().c_str()) != 0) _exit(127);
      execl(NDT_TOOL, NDT_TOOL, "train", "small.yaml", "--data", "data.h5", "--out", "run", "--json", "--set",
            "TRAIN.NUM_UPDATES=100000000", "--set", "TRAIN.PATIENCE=100000000", nullptr);
      _exit(127);
    }
    // The first checkpoint comes before the first step.
    while (!std::filesystem::exists(desk / "run/last.ckpt") && waitpid(pid_, &status_, WNOHANG) == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  ~Running() { end({SIGKILL}); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// Its exit status; -1 where a signal ended it.
  int end(const std::vector<int>& signals) {
    if (pid_ > 0) {
      for (const int number : signals) kill(pid_, number);
      waitpid(pid_, &status_, 0);
      pid_ = -1;
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

/// A copy of a model whose norms have an epsilon that is not the usual one.
void change_epsilon(const std::filesystem::path& from, const std::filesystem::path& to, double epsilon) {
  tool::ModelFile model = tool::read_model(from);
  model.config.norm_epsilon = epsilon;
  tool::write_safetensors(model, to);
}

}  // namespace

TEST_CASE("training writes a model, a log and a checkpoint, and says what came of it", "[tools][train]") {
  const TrainingDesk desk;
  const Ran ran = desk.train("--out run --json");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["steps"] == 60);
  CHECK(json["stopped_by"] == "num_updates");
  CHECK(json["bytes"] == json["bytes_after_first_step"]);
  CHECK(std::filesystem::exists(desk / "run/last.ckpt"));
  const std::string log = contents(desk / "run/log.csv");
  CHECK(log.rfind("step,training_seconds,learning_rate,train_loss,masked_loss,unmasked_loss,r2\n", 0) == 0);
  CHECK(std::count(log.begin(), log.end(), '\n') == 1 + 60 / 5);
  const Ran inspected = desk.ndt("inspect run/best.safetensors --json");
  CHECK(nlohmann::json::parse(inspected.out)["neurons"] == 6);
  CHECK(desk.ndt("infer run/best.safetensors data.h5 rates.h5 --key valid_data").status == 0);
  const Ran evaluated = desk.ndt("evaluate run/best.safetensors data.h5 --json");
  CHECK(evaluated.status == 0);
}

TEST_CASE("a run that was stopped, killed or split over threads ends as one that was not", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out whole").status == 0);
  REQUIRE(desk.train("--out parts --threads 2 --max-steps 7").status == 0);
  CHECK(desk.train("--out parts --max-steps 22 --resume").status == 0);
  CHECK(desk.train("--out parts --threads 3 --resume").status == 0);
  // Killed between two checkpoints: the log is ahead of the checkpoint then.
  REQUIRE(desk.train("--out killed --max-steps 9").status == 0);
  const std::string ahead = contents(desk / "killed/log.csv") + "10,0,0,0,0,0,0\n";
  support::write(desk / "killed/log.csv", ahead);
  CHECK(desk.train("--out killed --resume").status == 0);
  for (const char* const other : {"parts", "killed"}) {
    INFO(other);
    CHECK(contents(desk / other / "best.safetensors") == contents(desk / "whole/best.safetensors"));
    CHECK(desk.log_without_seconds(other) == desk.log_without_seconds("whole"));
  }
}

TEST_CASE("the best model in a folder is that of the checkpoint beside it", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 5").status == 0);
  const std::string best = contents(desk / "run/best.safetensors");
  std::filesystem::copy_file(desk / "run/last.ckpt", desk / "five.ckpt");
  // A better model brings its checkpoint, also where none is due.
  const std::string rare = " --set TRAIN.CHECKPOINT_INTERVAL=1000 --json";
  const Ran ten = desk.train("--out run --resume --max-steps 12" + rare);
  REQUIRE(nlohmann::json::parse(ten.out)["best_step"] == 10);
  // Killed after the checkpoint of step 5 and before its model was written: the file is another step's.
  std::filesystem::copy_file(desk / "five.ckpt", desk / "run/last.ckpt",
                             std::filesystem::copy_options::overwrite_existing);
  REQUIRE(contents(desk / "run/best.safetensors") != best);
  REQUIRE(desk.train("--out run --resume --max-steps 5").status == 0);
  CHECK(contents(desk / "run/best.safetensors") == best);
  // Between two validations it cannot be made again.
  REQUIRE(desk.train("--out run --resume --max-steps 6").status == 0);
  std::filesystem::copy_file(std::string(NDT_SOURCE_DIR) + "/weights/tiny.safetensors", desk / "run/best.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  const Ran other = desk.train("--out run --resume --max-steps 7");
  check_refused(other);
  CHECK(other.err.find("not the best model of this run, run/best.safetensors") != std::string::npos);
}

TEST_CASE("a run killed at any moment leaves a checkpoint that is whole", "[tools][train]") {
  const TrainingDesk desk;
  desk.put("kill.sh", "timeout -s KILL \"$1\" '" + std::string(NDT_TOOL) +
                          "' train small.yaml --data data.h5 --out run --set TRAIN.CHECKPOINT_INTERVAL=1"
                          " --set TRAIN.NUM_UPDATES=1000000 >/dev/null 2>&1\n");
  for (const char* const seconds : {"0.3", "0.37", "0.45", "0.6"}) {
    std::filesystem::remove_all(desk / "run");
    const int status =
        std::system(("cd '" + desk.folder.path().string() + "' && sh kill.sh " + seconds + " </dev/null").c_str());
    CHECK(status != 0);
    if (!std::filesystem::exists(desk / "run/last.ckpt")) continue;
    const Ran ran =
        desk.train("--out run --resume --set TRAIN.CHECKPOINT_INTERVAL=1 --max-steps 100000 --max-minutes 0 --json");
    INFO(ran.err);
    CHECK(ran.status == 0);
  }
}

TEST_CASE("a run that is told to end keeps what it has, also when its terminal is closed", "[tools][train]") {
  const TrainingDesk desk;
  // A terminal that closes tells a program twice: once itself, once by the shell.
  const auto signals = GENERATE(std::vector<int>{SIGTERM}, std::vector<int>{SIGINT}, std::vector<int>{SIGHUP, SIGHUP});
  Running running(desk);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(running.end(signals) == 1);
  const auto json = nlohmann::json::parse(contents(desk / "training"), nullptr, false);
  REQUIRE(json.is_object());
  CHECK(json["stopped_by"] == "a signal");
  const Ran again = desk.train("--out run --resume --max-steps 1 --json --set TRAIN.PATIENCE=100000000");
  INFO(again.err);
  CHECK(again.status == 0);
  CHECK(nlohmann::json::parse(again.out)["steps"] == json["steps"]);
}

TEST_CASE("a folder has one run at a time, and a killed one leaves it free", "[tools][train]") {
  const TrainingDesk desk;
  Running running(desk);
  for (const char* const second : {"--out run", "--out run --resume"}) {
    INFO(second);
    const Ran ran = desk.train(second);
    check_refused(ran);
    CHECK(ran.err.find("another run is at work in this folder, run,") != std::string::npos);
  }
  CHECK(running.end({SIGKILL}) == -1);
  const Ran resumed = desk.train("--out run --resume --max-minutes 0");
  INFO(resumed.err);
  CHECK(resumed.status == 0);
}

TEST_CASE("what killed runs left half-written is removed, and nothing else", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 5").status == 0);
  const std::string mine = "run/.ndt-" + std::to_string(getpid()) + "-0.tmp";  // this test is alive
  const std::vector<const char*> left = {"run/.ndt-2147483647-0.tmp", "run/.ndt-2147483646-12.tmp"};
  const std::vector<const char*> kept = {mine.c_str(), "run/.ndt-2147483647-0.tmp2", "run/.ndt--1-0.tmp",
                                         "run/.ndt-0-0.tmp", "run/notes.tmp"};
  for (const char* const name : left) desk.put(name, "torn");
  for (const char* const name : kept) desk.put(name, "kept");
  REQUIRE(desk.train("--out run --resume --max-steps 6").status == 0);
  for (const char* const name : left) CHECK(!std::filesystem::exists(desk / name));
  for (const char* const name : kept) CHECK(contents(desk / name) == "kept");
}

TEST_CASE("a batch larger than the data is said", "[tools][train]") {
  const TrainingDesk desk;  // 64 training trials
  const std::string note =
      "ndt: note: TRAIN.BATCH_SIZE is 65 and there are 64 training trials: every batch is all of them\n";
  CHECK(desk.train("--out larger --max-steps 1 --set TRAIN.BATCH_SIZE=65").err.rfind(note, 0) == 0);
  CHECK(desk.train("--out equal --max-steps 1 --set TRAIN.BATCH_SIZE=64").err.find("note") == std::string::npos);
  CHECK(desk.train("--out subset --max-steps 1 --set DATA.RANDOM_SUBSET_TRIALS=0.2 --set TRAIN.BATCH_SIZE=13")
            .err.find("13 and there are 12 training") != std::string::npos);
}

TEST_CASE("a setting without its --set is not taken for a file", "[tools][train]") {
  const Ran ran = TrainingDesk().train("--out run --set SEED=2 TRAIN.BATCH_SIZE=8");
  check_refused(ran);
  CHECK(ran.err.find("TRAIN.BATCH_SIZE=8, a YAML file, or --set before every KEY=VALUE") != std::string::npos);
}

TEST_CASE("fine-tuning starts from a model, also in another context", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out first").status == 0);
  const Ran ran = desk.train("--out causal --init first/best.safetensors --set MODEL.CONTEXT_FORWARD=0 --max-steps 5");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  const auto json = nlohmann::json::parse(desk.ndt("inspect causal/best.safetensors --json").out);
  CHECK(json["look_ahead_bins"] == 0);
  const Ran other = desk.train("--out other --init first/best.safetensors --set MODEL.NUM_LAYERS=2");
  check_refused(other);
  // What differs and nothing else: bins and max_spikes are the model's own.
  CHECK(other.err ==
        "ndt: error: the model to start from is another one: MODEL.NUM_LAYERS 1, first/best.safetensors, configuration "
        "and "
        "data ask for MODEL.NUM_LAYERS 2\n");
}

TEST_CASE("a run that began with a model is resumed without it", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out first --max-steps 5").status == 0);
  change_epsilon(desk / "first/best.safetensors", desk / "start.safetensors", 1e-3);
  const std::string init = " --init start.safetensors";
  REQUIRE(desk.train("--out whole --max-steps 12" + init).status == 0);
  for (const std::string& again : {std::string(), init}) {
    INFO(again);
    std::filesystem::remove_all(desk / "parts");
    REQUIRE(desk.train("--out parts --max-steps 7" + init).status == 0);
    const Ran ran = desk.train("--out parts --max-steps 12 --resume" + again);
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(contents(desk / "parts/best.safetensors") == contents(desk / "whole/best.safetensors"));
    CHECK(desk.log_without_seconds("parts") == desk.log_without_seconds("whole"));
  }
  // Nor is it taken for the run's where it is another one.
  REQUIRE(desk.train("--out wide --max-steps 1 --set MODEL.HIDDEN_SIZE=24").status == 0);
  const Ran other = desk.train("--out parts --resume --init wide/best.safetensors");
  check_refused(other);
  CHECK(other.err.find("another one: MODEL.HIDDEN_SIZE 24") != std::string::npos);
  CHECK(other.err.find("ask for MODEL.HIDDEN_SIZE 16") != std::string::npos);
}

TEST_CASE("a run that never validated says which model it leaves", "[tools][train]") {
  const TrainingDesk desk;
  CHECK(desk.train("--out few --max-steps 3")
            .out.find("no masked loss in validation: the model is that of the last step\n") != std::string::npos);
  CHECK(desk.train("--out more --max-steps 5").out.find("no masked loss") == std::string::npos);
}

TEST_CASE("fine-tuning keeps the epsilon of the model's norms, for which there is no key", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out first --max-steps 5").status == 0);
  change_epsilon(desk / "first/best.safetensors", desk / "other.safetensors", 1e-3);
  const Ran ran = desk.train("--out tuned --init other.safetensors --max-steps 5");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  CHECK(tool::read_model(desk / "tuned/best.safetensors").config.norm_epsilon == 1e-3);
}

TEST_CASE("a checkpoint with numbers or a state that no run has is refused and costs nothing", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 10").status == 0);
  const std::string whole = contents(desk / "run/last.ckpt"), best = contents(desk / "run/best.safetensors");
  struct Wrong {
    const char *what, *says;
    std::function<void(tool::TensorFile&)> change;
  };
  const auto value = [](const char* tensor, float x) {
    return [=](tool::TensorFile& file) { file.tensors.find(tensor)->second.values[1] = x; };
  };
  const auto state = [](const char* key, const char* text) {
    return [=](tool::TensorFile& file) {
      auto json = nlohmann::json::parse(file.metadata.find("state")->second);
      REQUIRE(json.contains(key));
      json[key] = text;
      file.metadata.find("state")->second = json.dump();
    };
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Wrong wrong =
      GENERATE_COPY(Wrong{"a weight", "tensor decoder.0.bias has nan", value("decoder.0.bias", nan)},
                    Wrong{"a mean", "tensor mean/decoder.0.bias has -inf", value("mean/decoder.0.bias", -inf)},
                    Wrong{"a square", "tensor square/decoder.0.bias has -1", value("square/decoder.0.bias", -1)},
                    Wrong{"the step", "the state is not one of this run", state("step", "4294967296")},
                    Wrong{"the best loss", "the state is not one of this run", state("best_loss", "nan")},
                    Wrong{"the lowest loss of all", "the state is not one of this run", state("best_loss", "-inf")},
                    Wrong{"a loss of no step", "the state is not one of this run", state("best_step", "0")},
                    Wrong{"R2", "the state is not one of this run", state("best_r2", "5")});
  INFO(wrong.what);
  const tool::TensorFileKind kind{"ndt-training", "a checkpoint"};
  tool::TensorFile file = tool::parse_tensor_file(whole, "last.ckpt", kind);
  wrong.change(file);
  for (const char* const added : {"format", "format_version", "content_hash"}) file.metadata.erase(added);
  const std::string changed = tool::tensor_file_bytes(kind, file.metadata, file.tensors);
  support::write(desk / "run/last.ckpt", changed);
  for (const char* const steps : {"10", "20"}) {
    const Ran ran = desk.train(std::string("--out run --resume --max-steps ") + steps);
    check_refused(ran);
    INFO(ran.err);
    CHECK(ran.err.find(wrong.says) != std::string::npos);
    CHECK(contents(desk / "run/last.ckpt") == changed);
    CHECK(contents(desk / "run/best.safetensors") == best);
  }
}

TEST_CASE("a run that patience ended goes on with more of it", "[tools][train]") {
  const TrainingDesk desk;
  const std::string still = " --set TRAIN.LR.INIT=1e-30 --set TRAIN.PATIENCE=";
  const auto stopped_by = [](const Ran& ran) {
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    return nlohmann::json::parse(ran.out)["stopped_by"].get<std::string>();
  };
  REQUIRE(stopped_by(desk.train("--out run --json" + still + "9")) == "patience");
  CHECK(stopped_by(desk.train("--out run --json --resume" + still + "9")) == "patience");
  CHECK(stopped_by(desk.train("--out run --json --resume" + still + "1000")) == "num_updates");
}

TEST_CASE("a log.csv of something else is left alone", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(std::filesystem::create_directory(desk / "mine"));
  desk.put("mine/log.csv", "temperature\n20\n");
  const Ran ran = desk.train("--out mine --max-steps 1");
  check_refused(ran);
  CHECK(ran.err.find("this is not the log of a run, mine/log.csv,") != std::string::npos);
  CHECK(contents(desk / "mine/log.csv") == "temperature\n20\n");
  CHECK(!std::filesystem::exists(desk / "mine/last.ckpt"));
}

TEST_CASE("counts that a model cannot see, and steps without anything to predict, are said", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out first --max-steps 1").status == 0);
  REQUIRE(
      desk.ndt("simulate lorenz high.h5 --conditions 8 --repeats 10 --bins 12 --neurons 6 --mean-rate 300").status ==
      0);
  const std::string start = "train small.yaml --data high.h5 --init first/best.safetensors --max-steps 1 --out ";
  const Ran clipped = desk.ndt(start + "clipped");
  INFO(clipped.err);
  CHECK(clipped.status == 0);
  CHECK(clipped.err.find(" counts of training are above max_spikes ") != std::string::npos);
  CHECK(clipped.err.find(" counts of validation are above max_spikes ") != std::string::npos);
  const char* const note = "ndt: note: none of these steps had anything to predict: TRAIN.MASK_RATIO is 1e-300\n";
  CHECK(desk.train("--out idle --max-steps 2 --set TRAIN.MASK_RATIO=1e-300").err.find(note) != std::string::npos);
  CHECK(desk.train("--out busy --max-steps 2").err.find("note") == std::string::npos);
}

TEST_CASE("without masks there must be held-out neurons or forward bins in training", "[tools][train]") {
  const TrainingDesk desk;
  const std::string start = "train small.yaml --max-steps 1 --set TRAIN.MASK_RATIO=0 --data ";
  const auto refused = [&](const char* data) {
    const Ran ran = desk.ndt(start + data + " --out refused");
    check_refused(ran);
    CHECK(ran.err.find(std::string("TRAIN.MASK_RATIO is 0, ") + data + ",") != std::string::npos);
    CHECK(!std::filesystem::exists(desk / "refused/last.ckpt"));
  };
  refused("data.h5");
  const auto hide = [&](const char* data, const char* name) {
    support::in_child([&] {
      const hid_t file = support::good(H5Fopen((desk / data).c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
      support::good(H5Ldelete(file, name, H5P_DEFAULT));
      support::good(H5Fclose(file));
    });
  };
  for (const auto& [file, sizes, hidden] :
       {std::tuple{"neurons.h5", "--forward-bins 0 --heldout-neurons 2", "train_spikes_heldout"},
        std::tuple{"bins.h5", "--forward-bins 2 --heldout-neurons 0", "train_spikes_heldin_forward"}}) {
    INFO(file);
    REQUIRE(
        desk.ndt("simulate reach " + std::string(file) + " --conditions 4 --repeats 10 --bins 8 --neurons 8 " + sizes)
            .status == 0);
    CHECK(desk.ndt(start + file + " --out " + file + ".run").status == 0);
    hide(file, hidden);
    refused(file);
  }
}

TEST_CASE("a mask token that counts of 16 bits cannot hold is refused", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out first --max-steps 1").status == 0);
  tool::ModelFile model = tool::read_model(desk / "first/best.safetensors");
  model.config.max_spikes = 65535;
  tool::Tensor& table = model.tensors.find("embedder.0.weight")->second;
  table.shape[0] = model.config.table_rows();
  table.values.resize(table.shape[0] * table.shape[1]);
  tool::write_safetensors(model, desk / "large.safetensors");
  const std::string start = "--init large.safetensors --max-steps 1 --out ";
  const Ran refused = desk.train(start + "token --set TRAIN.USE_ZERO_MASK=False");
  check_refused(refused);
  CHECK(refused.err.find("TRAIN.USE_ZERO_MASK is False and max_spikes 65535, data.h5,") != std::string::npos);
  CHECK(desk.train(start + "zero").status == 0);
}

TEST_CASE("a resumed run keeps rows of its log that hold infinities", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 10").status == 0);
  const std::string log = contents(desk / "run/log.csv");
  const std::string infinite = log.substr(0, log.rfind(',')) + ",-inf\n";
  support::write(desk / "run/log.csv", infinite);
  REQUIRE(desk.train("--out run --resume --max-steps 11").status == 0);
  CHECK(contents(desk / "run/log.csv") == infinite);
}

TEST_CASE("bad training input gets one line, exit 2, and nothing is lost", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 5").status == 0);
  const std::string before = contents(desk / "run/last.ckpt");
  struct Bad {
    const char *arguments, *says;
  };
  const Bad bad = GENERATE(
      Bad{"train small.yaml --data data.h5 --out run", "there is a run already"},
      Bad{"train small.yaml --data data.h5 --out none --resume", "no run to resume"},
      Bad{"train small.yaml --data data.h5 --out run --resume --set TRAIN.LR.INIT=0.01", "another configuration"},
      Bad{"train small.yaml --data data.h5 --out run --resume --set MODEL.NUM_LAYERS=2", "another model"},
      Bad{"train small.yaml --data missing.h5 --out new", "missing.h5"},
      Bad{"train small.yaml --out new --set DATA.TRAIN_FILENAME=a.h5 --set DATA.VAL_FILENAME=a.h5",
          "a.h5, --data FILE.h5"},
      Bad{"train missing.yaml --data data.h5 --out new", "missing.yaml"},
      Bad{"train small.yaml --data data.h5 --out new --set TRAIN.LR.INT=1", "INIT"},
      Bad{"train small.yaml --data data.h5 --out new --set MODEL.NUM_HEADS=5", "heads"},
      Bad{"train small.yaml --data data.h5 --out new --set TRAIN.LR.INIT=1 --set TRAIN.NUM_UPDATES=9000",
          "is not finite in step"},
      Bad{"train small.yaml --data data.h5 --out new --set MODEL.TRIAL_LENGTH=50", ": --set MODEL.TRIAL_LENGTH="},
      Bad{"train small.yaml --data data.h5 --out new --max-steps -1", "below 0"},
      Bad{"train small.yaml --data data.h5 --out new --group ''", "an empty name of a group"},
      Bad{"train small.yaml --data data.h5 --out new --max-minutes nan", "--max-minutes"},
      Bad{"train small.yaml --data data.h5 --out new --truth-scale nan", "no number above 0"},
      Bad{"train small.yaml --data data.h5 --out new --truth-scale 1e300",
          "is not finite, dataset train_truth of data.h5"},
      Bad{"train small.yaml '' --data data.h5 --out new", "an empty file name"},
      Bad{"train small.yaml --data data.h5 --out small.yaml", "small.yaml"},
      Bad{"train small.yaml --data data.h5 --out new --init small.yaml", "small.yaml"},
      Bad{"train small.yaml --data small.yaml --out new", "small.yaml"});
  INFO(bad.arguments);
  const Ran ran = desk.ndt(bad.arguments);
  INFO(ran.err);
  CHECK(ran.status == 2);
  const std::string last = ran.err.substr(ran.err.rfind("ndt: error: ", ran.err.size() - 2));
  CHECK(is_error_line(last));
  CHECK(last.find(bad.says) != std::string::npos);
  CHECK(contents(desk / "run/last.ckpt") == before);
}

TEST_CASE("a checkpoint that does not fit on the disk leaves the one before", "[tools][train]") {
  const TrainingDesk desk;
  REQUIRE(desk.train("--out run --max-steps 5").status == 0);
  const std::string before = contents(desk / "run/last.ckpt");
  // A limit on the size of files stands for the full disk.
  desk.put("full.sh", "ulimit -f 8; '" + std::string(NDT_TOOL) +
                          "' train small.yaml --data data.h5 --out run --resume >/dev/null 2>err\n");
  const int status = std::system(("cd '" + desk.folder.path().string() + "' && sh full.sh </dev/null").c_str());
  CHECK(WEXITSTATUS(status) == 2);
  CHECK(contents(desk / "err").find("cannot write the output") != std::string::npos);
  CHECK(contents(desk / "run/last.ckpt") == before);
  CHECK(desk.train("--out run --resume").status == 0);
}
