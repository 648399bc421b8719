// tools/cli/training_log.cpp
#include "training_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "../io/numbers.hpp"
#include "../io/output_file.hpp"
#include "../io/refused.hpp"

namespace tool {

namespace {

constexpr const char* header = "step,training_seconds,learning_rate,train_loss,masked_loss,unmasked_loss,r2\n";

std::string cell(double x) { return std::isnan(x) ? std::string() : text(x); }

}  // namespace

TrainingLog::TrainingLog(const std::filesystem::path& path, std::size_t step) : path_(path) {
  std::string kept = header;
  std::ifstream old(path);
  std::string line(kept.size(), '\0');
  old.read(line.data(), static_cast<std::streamsize>(line.size()));
  if (old.gcount() != 0 && (!old || line != header)) {
    throw Refused("this is not the log of a run", path.string(), "another folder, or none of that name in this one");
  }
  if (step > 0) {
    while (std::getline(old, line) && !old.eof()) {  // a line without an end was never finished
      const bool row = std::count(line.begin(), line.end(), ',') == 6 &&
                       line.find_first_not_of("0123456789+-.einf,") == std::string::npos;
      if (row && std::strtoull(line.c_str(), nullptr, 10) <= step) kept.append(line).push_back('\n');
    }
  }
  OutputFile file(path);
  file.write(kept.data(), kept.size());
  file.commit();
  file_ = std::fopen(path.c_str(), "ae");
  if (file_ == nullptr) failed();
}

TrainingLog::~TrainingLog() {
  if (file_ != nullptr) std::fclose(file_);
}

void TrainingLog::add(const ndt::train::Progress& progress, double seconds) {
  std::string row = std::to_string(progress.step);
  for (const double x : {seconds, progress.learning_rate, progress.train_loss, progress.validation.masked_loss,
                         progress.validation.unmasked_loss, progress.validation.r2}) {
    row.append(1, ',').append(cell(x));
  }
  row.push_back('\n');
  if (std::fwrite(row.data(), 1, row.size(), file_) != row.size() || std::fflush(file_) != 0) failed();
}

void TrainingLog::sync() {
  if (fsync(fileno(file_)) != 0) failed();
}

void TrainingLog::failed() const {
  throw Refused(std::string("cannot write the log: ") + std::strerror(errno), path_.string(),
                "a folder that can be written to, with enough room");
}

}  // namespace tool
