// Both containers of torch.save: number formats, views, and damage anywhere.
#include "../../tools/io/torch_file.hpp"

#include "../support/catch.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using support::refusal;
using support::says;
using support::TorchTensor;
using support::TorchWriter;

namespace {

/// A file with one tensor in it, read back.
tool::Tensor read(const std::string& bytes) {
  tool::TorchFile file(bytes, "test.pth");
  return file.tensor(file.document().top(), "w");
}
TorchWriter with(const TorchTensor& tensor) {
  TorchWriter writer;
  writer.device = "cuda:1";
  writer.tensor(tensor);
  return writer;
}
/// The file with the entry's content changed.
std::string changed(const TorchWriter& writer, const std::string& name, const std::string& content) {
  support::Entries entries = writer.entries();
  for (auto& [key, value] : entries) {
    if (key == name) value = content;
  }
  return support::zip_bytes(entries);
}

}  // namespace

TEST_CASE("every number format is read from both containers", "[tools][torch]") {
  for (const char* const type : {"Float", "Double", "Half", "BFloat16"}) {
    INFO(type);
    const TorchTensor tensor{{2, 3}, {0, -0.5, 1.25, -60, 0.0625, 384}, type};
    for (const tool::Tensor& back :
         {read(with(tensor).zip()), read(with(tensor).zip(true)), read(with(tensor).legacy())}) {
      CHECK(back.shape == tensor.shape);
      CHECK(back.values == std::vector<float>{0, -0.5f, 1.25f, -60, 0.0625f, 384});
      CHECK(back.integers.empty());
    }
  }
  for (const char* const type : {"Long", "Int", "Short", "Char"}) {
    INFO(type);
    const TorchTensor tensor{{3}, {-128, 0, 127}, type};
    for (const tool::Tensor& back : {read(with(tensor).zip()), read(with(tensor).legacy())}) {
      CHECK(back.integers == std::vector<std::int64_t>{-128, 0, 127});
      CHECK(back.values.empty());
    }
  }
  CHECK(read(with({{2}, {200, 3}, "Byte"}).zip()).integers == std::vector<std::int64_t>{200, 3});
  CHECK(read(with({{3}, {1, 0, 7}, "Bool"}).zip()).integers == std::vector<std::int64_t>{1, 0, 1});
}

TEST_CASE("half precision keeps zeros, subnormals, infinities and NaN", "[tools][torch]") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto values = read(with({{6}, {-0.0, 0x1p-24, -0x3p-24, inf, -inf, std::nan("")}, "Half"}).zip()).values;
  CHECK(std::signbit(values.at(0)));
  CHECK(values[0] == 0);
  CHECK(values[1] == 0x1p-24f);
  CHECK(values[2] == -0x3p-24f);
  CHECK((std::isinf(values[3]) && values[3] > 0));
  CHECK((std::isinf(values[4]) && values[4] < 0));
  CHECK(std::isnan(values[5]));
}

TEST_CASE("views are copied out row by row", "[tools][torch]") {
  const std::vector<double> twelve{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto values = [&](std::vector<std::size_t> shape, std::vector<std::size_t> stride, std::size_t offset) {
    return read(with({shape, twelve, "Float", stride, offset}).zip()).values;
  };
  CHECK(values({4, 3}, {1, 4}, 0) == std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  CHECK(values({2, 2}, {6, 2}, 3) == std::vector<float>{3, 5, 9, 11});
  CHECK(values({}, {}, 7) == std::vector<float>{7});
  CHECK(values({3, 1}, {4, 1'000'000'000'000}, 1) == std::vector<float>{1, 5, 9});
  CHECK(values({2, 0}, {1, 1}, 0).empty());
  // expand() and unfold() show elements more than once.
  CHECK(values({2, 3}, {0, 4}, 1) == std::vector<float>{1, 5, 9, 1, 5, 9});
  CHECK(values({15}, {0}, 3) == std::vector<float>(15, 3));
  CHECK(values({2, 3}, {1, 1}, 0) == std::vector<float>{0, 1, 2, 1, 2, 3});
}

TEST_CASE("a view that reaches outside its storage is refused", "[tools][torch]") {
  const auto message = [](std::vector<std::size_t> shape, std::vector<std::size_t> stride, std::size_t offset) {
    return refusal([&] { read(with({shape, {1, 2, 3, 4}, "Float", stride, offset}).zip()); });
  };
  const std::size_t huge = std::size_t{1} << 62;
  CHECK(message({4}, {1}, 0).empty());
  CHECK(says(message({4}, {1}, 1), "shape (4,)", "offset 1", "test.pth tensor w", "4 elements"));
  CHECK(says(message({5}, {1}, 0), "does not lie inside"));
  CHECK(says(message({2}, {4}, 0), "does not lie inside"));
  CHECK(says(message({}, {}, 4), "does not lie inside"));
  CHECK(says(message({huge, 8}, {0, 0}, 0), "does not lie inside"));  // the product overflows
  CHECK(says(message({3}, {huge}, 0), "does not lie inside"));        // the last place overflows
  CHECK(says(message({5}, {huge}, 0), "does not lie inside"));
  CHECK(says(message({huge}, {0}, 0), "repeats its storage too often"));  // one element, a thousand million times
  CHECK(says(message({1 << 21}, {0}, 0), "repeats its storage too often"));
}

TEST_CASE("many tensors over one storage are refused before they take memory", "[tools][torch]") {
  TorchWriter writer;
  writer.pickle.raw("](");
  writer.tensor({{4}, {1, 2, 3, 4}});
  for (int i = 0; i < 9; ++i) writer.view({{1 << 17}, {1, 2, 3, 4}, "Float", {0}}, "0");
  writer.pickle.raw("e");
  const std::string bytes = writer.zip();
  tool::TorchFile file(bytes, "test.pth");
  const auto& items = file.document().top().items;
  CHECK(says(refusal([&] {
               for (const auto item : items) file.tensor(file.document()[item], "w");
             }),
             "repeats its storage"));
}

TEST_CASE("a storage of another size than the pickle says is refused", "[tools][torch]") {
  const TorchWriter writer = with({{2}, {1, 2}});
  CHECK(says(refusal([&] { read(changed(writer, "archive/data/0", "1234567")); }), "7 bytes", "2 elements of 4 bytes"));
  support::Entries entries = writer.entries();
  entries.erase(entries.begin() + 2);
  CHECK(says(refusal([&] { read(support::zip_bytes(entries)); }), "storage 0 is missing"));
  std::string legacy = writer.legacy();
  legacy[legacy.size() - 16] = 3;
  CHECK(says(refusal([&] { read(legacy); }), "has 3 elements", "2 are expected"));
  CHECK(says(refusal([&] { read(writer.legacy() + "x"); }), "follows the last storage"));
}

TEST_CASE("a big-endian file is refused", "[tools][torch]") {
  const TorchWriter writer = with({{2}, {1, 2}});
  CHECK(says(refusal([&] { read(changed(writer, "archive/byteorder", "big")); }), "byte order is big"));
  std::string legacy = writer.legacy();
  legacy[legacy.find("little_endian") + 13] = '\x89';
  CHECK(says(refusal([&] { read(legacy); }), "not little-endian"));
}

TEST_CASE("a comment behind an archive is skipped, whatever is in it", "[tools][torch]") {
  const std::string zip = with({{2}, {1, 2}}).zip();
  const auto commented = [&](const std::string& text, std::size_t size) {
    return zip.substr(0, zip.size() - 2) + support::number_bytes(static_cast<std::uint16_t>(size)) + text;
  };
  for (const std::string& text : {std::string("x"), std::string("PK\5\6 and more than what an end of an archive has"),
                                  std::string(0xffff, 'P'), std::string(22, '\0')}) {
    CHECK(read(commented(text, text.size())).values == std::vector<float>{1, 2});
    CHECK(says(refusal([&] { read(commented(text, text.size() - 1)); }), "its end is not there"));
    CHECK(says(refusal([&] { read(commented(text, text.size()) + "x"); }), "its end is not there"));
  }
  // A whole archive as a comment: the last one that is whole counts, and nothing before it belongs to it.
  CHECK_FALSE(refusal([&] { read(commented(zip, zip.size())); }).empty());
}

TEST_CASE("archives with 64-bit sizes are read, and damage to them is found", "[tools][torch]") {
  const auto entries = with({{2}, {1, 2}}).entries();
  for (const bool streamed : {false, true}) {
    const std::string zip = support::zip64_bytes(entries, streamed);
    CHECK(read(zip).values == std::vector<float>{1, 2});
    std::size_t through = 0;
    for (std::size_t bit = 0; bit < zip.size() * 8; ++bit) {
      std::string flipped = zip;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      std::vector<float> values{1, 2};
      if (refusal([&] { values = read(flipped).values; }).empty()) ++through;
      CHECK(values == std::vector<float>{1, 2});
    }
    CHECK(through < 64 * 8);  // who wrote it, and when, is written twice or has no meaning
    for (std::size_t size = 0; size < zip.size(); ++size) {
      CHECK_FALSE(refusal([&] { read(zip.substr(0, size)); }).empty());
    }
  }
}

TEST_CASE("a zip archive that is not PyTorch's is refused", "[tools][torch]") {
  CHECK(says(refusal([] { read(support::zip_bytes({{"readme.txt", "hello"}})); }), "no entry data.pkl"));
  CHECK(says(refusal([] { read(support::zip_bytes({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}})); }), "two data.pkl"));
  CHECK(says(refusal([] { read(support::zip_bytes({{"a/data.pkl", "N.N."}})); }), "follows the pickle"));
  CHECK(says(refusal([] { read(support::zip_bytes({{"a/data.pkl", "N."}, {"a/data.pkl", "N."}})); }), "one name"));
  CHECK(says(refusal([] { read(support::zip_bytes({{"a/data.pkl", "N."}})); }), "no tensor"));
  CHECK(says(refusal([] { read("PK\3\4"); }), "ends too early"));
  CHECK(says(refusal([] { read(std::string("PK\3\4") + std::string(100, '\0')); }), "its end is not there"));
  CHECK(says(refusal([] { read("MZ"); }), "no file of torch.save"));
}

TEST_CASE("an archive that unpacks to far more than itself is refused", "[tools][torch]") {
  std::string bytes = support::zip_bytes({{"a/data.pkl", "N."}, {"a/x", std::string(70, 'x')}}, true);
  // The sizes before packing, in the directory and behind the entry.
  const std::string size = support::number_bytes(std::uint32_t{70}),
                    claim = support::number_bytes(std::uint32_t{1} << 31);
  for (std::size_t at = 0; (at = bytes.find(size, at)) != std::string::npos;) bytes.replace(at, 4, claim);
  CHECK(says(refusal([&] { read(bytes); }), "over a hundred times"));
}

TEST_CASE("no truncation and no flip of a bit gets through or does harm", "[tools][torch]") {
  const TorchWriter writer = with({{2, 2}, {1, -2, 3, 0.5}});
  const bool deflate = GENERATE(false, true);
  const std::string zip = writer.zip(deflate), legacy = writer.legacy();
  std::size_t through = 0;
  for (std::size_t size = 0; size < zip.size(); ++size) {
    through += refusal([&] { read(zip.substr(0, size)); }).empty();
  }
  CHECK(through == 0);
  for (std::size_t bit = 0; bit < zip.size() * 8; ++bit) {
    std::string flipped = zip;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    std::vector<float> values;
    if (!refusal([&] { values = read(flipped).values; }).empty()) continue;
    // Deflate leaves some bits unused. What is unpacked is then the same, and the checksum is about that.
    if (deflate && values == std::vector<float>{1, -2, 3, 0.5f}) continue;
    ++through;
    UNSCOPED_INFO("byte " << bit / 8);
  }
  CHECK(through == 0);
  for (std::size_t size = 0; size < legacy.size(); ++size) {
    through += refusal([&] { read(legacy.substr(0, size)); }).empty();
  }
  CHECK(through == 0);
  // No checksum here: other numbers may come out, but nothing else may happen.
  for (std::size_t bit = 0; bit < legacy.size() * 8; ++bit) {
    std::string flipped = legacy;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    through += refusal([&] { read(flipped); }).empty();
  }
  CHECK(through < legacy.size() * 8 / 2);
}
