#include "formats/hub/pull.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "formats/hub/cache.h"
#include "formats/hub/http.h"
#include "formats/hub/sha256.h"
#include "formats/testing/http_server.h"
#include "formats/testing/temp_folder.h"

namespace ergo::formats::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::HttpServer;
using ::testing::IsEmpty;
using testing::ScopedEnvironment;
using testing::Slurp;
using testing::TempFolder;
using ::testing::UnorderedElementsAre;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

std::string Sha256(const std::string& bytes) {
  const TempFolder folder;
  return Sha256OfFile(folder.Write("x", bytes)).value();
}

/// A hub with one model, org/name, whose large files lie on a second server.
class PullTest : public ::testing::Test {
 protected:
  using Request = HttpServer::Request;
  using Response = HttpServer::Response;

  struct File {
    std::string bytes;
    bool large = false;
    std::string sha256;  ///< as stated, for large files
  };

  void SetUp() override {
    weights_ = std::string(300000, 'w');
    for (std::size_t i = 0; i < weights_.size(); i += 7) weights_[i] = static_cast<char>(i / 7);
    files_["config.json"] = {"{}", false, ""};
    files_["README.md"] = {"no use", false, ""};
    files_["onnx/model.safetensors"] = {"no use", false, ""};
    AddLarge("model.safetensors", weights_);
    options_.endpoint = hub_.url();
    options_.token = "hf_secret";
    options_.cache_root = folder_.path();
    options_.retry_seconds = 0.01;
  }

  void AddLarge(const std::string& name, const std::string& bytes) {
    files_[name] = {bytes, true, Sha256(bytes)};
  }

  Response Hub(const Request& request) {
    if (hub_override_) {
      if (auto response = hub_override_(request)) return *response;
    }
    if (request.path.starts_with("/api/models/org/name/revision/main")) return {.body = Info()};
    const std::string prefix = std::string("/org/name/resolve/") + kCommit + "/";
    if (!request.path.starts_with(prefix)) return {.status = 404};
    const auto found = files_.find(request.path.substr(prefix.size()));
    if (found == files_.end()) return {.status = 404};
    const File& file = found->second;
    if (!file.large)
      return {.headers = {{"ETag", "\"e-" + found->first + "\""}}, .body = file.bytes};
    return {.status = 302,
            .headers = {{"Location", storage_.url() + "/" + found->first + "?signature=secret"},
                        {"X-Linked-Etag", "\"" + file.sha256 + "\""},
                        {"X-Linked-Size", std::to_string(file.bytes.size())}}};
  }

  Response Storage(const Request& request) {
    const File& file = files_.at(request.path.substr(1, request.path.find('?') - 1));
    Response response{.body = file.bytes};
    if (const auto range = request.headers.find("range"); range != request.headers.end()) {
      const std::size_t from = std::stoul(range->second.substr(6));
      response.status = 206;
      response.body = file.bytes.substr(from);
      response.headers.push_back({"Content-Range", "bytes " + std::to_string(from) + "-" +
                                                       std::to_string(file.bytes.size() - 1) + "/" +
                                                       std::to_string(file.bytes.size())});
    }
    if (storage_override_) storage_override_(request, &response);
    return response;
  }

  std::string Info() const {
    Json siblings = Json::array();
    for (const auto& [name, file] : files_) {
      Json one = {{"rfilename", name}, {"size", file.bytes.size()}};
      if (file.large) one["lfs"] = {{"sha256", file.sha256}, {"size", file.bytes.size()}};
      siblings.push_back(one);
    }
    return Json{{"sha", commit_}, {"siblings", siblings}}.dump();
  }

  /// Everything below the cache folder, for checks that nothing was left.
  std::vector<std::string> CacheFiles() const { return FilesBelow(folder_.path()); }

  ScopedEnvironment no_proxy_{"no_proxy", "127.0.0.1"};
  TempFolder folder_;
  std::string weights_;
  std::string commit_ = kCommit;
  std::map<std::string, File> files_;
  std::function<std::optional<Response>(const Request&)> hub_override_;
  std::function<void(const Request&, Response*)> storage_override_;
  PullOptions options_;
  HttpServer storage_{[this](const Request& request) { return Storage(request); }};
  HttpServer hub_{[this](const Request& request) { return Hub(request); }};
};

TEST_F(PullTest, FetchesWhatIsUseful) {
  PullProgress last;
  options_.progress = [&](const PullProgress& progress) {
    EXPECT_GE(progress.done, progress.file == last.file ? last.done : 0);
    last = progress;
    return true;
  };
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_EQ(*snapshot, FindSnapshot(folder_.path(), "org/name").value());
  EXPECT_THAT(FilesBelow(*snapshot), UnorderedElementsAre("config.json", "model.safetensors"));
  EXPECT_EQ(Slurp(*snapshot + "/model.safetensors"), weights_);
  EXPECT_EQ(Slurp(folder_ / "models--org--name/refs/main"), kCommit);
  EXPECT_EQ(fs::read_symlink(*snapshot + "/model.safetensors"), "../../blobs/" + Sha256(weights_));
  EXPECT_EQ(last.done, weights_.size() + 2);
  EXPECT_EQ(last.total, weights_.size() + 2);
}

TEST_F(PullTest, SecondPullFetchesNoWeightsAgain) {
  ASSERT_TRUE(Pull("org/name", options_));
  const std::size_t before = storage_.requests().size();
  ASSERT_TRUE(Pull("org/name", options_));
  EXPECT_EQ(storage_.requests().size(), before);
}

TEST_F(PullTest, TokenGoesToTheEndpointAlone) {
  ASSERT_TRUE(Pull("org/name", options_));
  ASSERT_FALSE(hub_.requests().empty());
  for (const Request& request : hub_.requests()) {
    EXPECT_EQ(request.headers.at("authorization"), "Bearer hf_secret") << request.path;
  }
  ASSERT_FALSE(storage_.requests().empty());
  for (const Request& request : storage_.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization")) << request.path;
  }
}

TEST_F(PullTest, TokenDoesNotFollowRedirectsOfTheListEither) {
  hub_override_ = [&](const Request& request) -> std::optional<Response> {
    if (!request.path.starts_with("/api/")) return std::nullopt;
    return Response{.status = 307, .headers = {{"Location", storage_.url() + "/config.json"}}};
  };
  EXPECT_FALSE(Pull("org/name", options_));
  ASSERT_FALSE(storage_.requests().empty());
  for (const Request& request : storage_.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization"));
  }
}

TEST_F(PullTest, FollowsRelativeRedirectsWithTheToken) {
  hub_override_ = [&](const Request& request) -> std::optional<Response> {
    if (!request.path.starts_with("/org/name/resolve")) return std::nullopt;
    if (!request.path.ends_with("config.json")) return std::nullopt;
    return Response{.status = 307, .headers = {{"Location", "/cache/config.json"}}};
  };
  const auto inner = hub_override_;
  hub_override_ = [&, inner](const Request& request) -> std::optional<Response> {
    if (request.path != "/cache/config.json") return inner(request);
    EXPECT_TRUE(request.headers.contains("authorization"));
    return Response{.headers = {{"ETag", "W/\"abc\""}}, .body = "{}"};
  };
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_EQ(fs::read_symlink(*snapshot + "/config.json"), "../../blobs/abc");
}

TEST_F(PullTest, ResumesAfterCutConnections) {
  int cuts = 3;
  storage_override_ = [&](const Request&, Response* response) {
    if (cuts-- > 0) response->cut_after = 70000;
  };
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_EQ(Slurp(*snapshot + "/model.safetensors"), weights_);
  const auto requests = storage_.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_FALSE(requests[0].headers.contains("range"));
  EXPECT_EQ(requests[1].headers.at("range"), "bytes=70000-");
  EXPECT_EQ(requests[3].headers.at("range"), "bytes=210000-");
}

TEST_F(PullTest, ResumesInALaterCall) {
  storage_override_ = [](const Request&, Response* response) { response->cut_after = 100000; };
  options_.progress = [](const PullProgress& progress) { return progress.done < 100000; };
  options_.retry_seconds = 5;  // cancelled while it waits
  const auto cut = Pull("org/name", options_);
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().what, HasSubstr("cancelled"));
  EXPECT_FALSE(FindSnapshot(folder_.path(), "org/name").has_value() &&
               fs::exists(folder_ / "models--org--name/refs/main"));
  EXPECT_TRUE(ListModels(folder_.path())[0].unfinished);
  storage_override_ = nullptr;
  options_.progress = nullptr;
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_EQ(storage_.requests().back().headers.at("range"), "bytes=100000-");
  EXPECT_EQ(Slurp(*snapshot + "/model.safetensors"), weights_);
  EXPECT_FALSE(ListModels(folder_.path())[0].unfinished);
}

TEST_F(PullTest, RestartsWhenTheServerIgnoresTheRange) {
  int requests = 0;
  storage_override_ = [&](const Request&, Response* response) {
    if (requests++ == 0) {
      response->cut_after = 50000;
    } else {
      *response = {.body = weights_};
    }
  };
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_EQ(Slurp(*snapshot + "/model.safetensors"), weights_);
}

TEST_F(PullTest, GivesUpOnADeadLine) {
  storage_override_ = [](const Request&, Response* response) { response->cut_after = 0; };
  const auto pulled = Pull("org/name", options_);
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().Message(), HasSubstr("connection broke"));
  EXPECT_THAT(pulled.error().Message(), ::testing::Not(HasSubstr("signature")));
  EXPECT_EQ(storage_.requests().size(), 6u);  // the first and five more
}

TEST_F(PullTest, WrongSumIsThrownAway) {
  storage_override_ = [](const Request&, Response* response) { response->body[1000] ^= 1; };
  const auto pulled = Pull("org/name", options_);
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().Message(), HasSubstr("SHA-256"));
  for (const std::string& file : CacheFiles()) {
    EXPECT_THAT(file, ::testing::Not(HasSubstr(Sha256(weights_))));
  }
  EXPECT_FALSE(fs::exists(folder_ / "models--org--name/refs/main"));
  storage_override_ = nullptr;
  EXPECT_TRUE(Pull("org/name", options_));
}

TEST_F(PullTest, HeadersAndListMustAgree) {
  hub_override_ = [&](const Request& request) -> std::optional<Response> {
    if (!request.path.ends_with("model.safetensors")) return std::nullopt;
    return Response{.status = 302,
                    .headers = {{"Location", storage_.url() + "/model.safetensors"},
                                {"X-Linked-Etag", "\"" + std::string(64, 'a') + "\""},
                                {"X-Linked-Size", std::to_string(weights_.size())}}};
  };
  EXPECT_FALSE(Pull("org/name", options_));
  EXPECT_THAT(storage_.requests(), IsEmpty());
}

TEST_F(PullTest, MoreBytesThanAnnouncedAreRefused) {
  storage_override_ = [](const Request&, Response* response) { response->body += "more"; };
  const auto pulled = Pull("org/name", options_);
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().Message(), HasSubstr("more than the"));
}

TEST_F(PullTest, NamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"../evil.safetensors", "/etc/evil.safetensors", "a/../../x.gguf", "",
                           "a\\..\\evil.safetensors"}) {
    files_[name] = {"evil", false, ""};
    const auto pulled = Pull("org/name", options_);
    ASSERT_FALSE(pulled) << name;
    EXPECT_THAT(pulled.error().Message(), HasSubstr("outside the cache"));
    EXPECT_THAT(CacheFiles(), IsEmpty());
    files_.erase(name);
  }
}

TEST_F(PullTest, EtagsAndCommitsThatLeaveTheFolderAreRefused) {
  for (const char* etag : {"../../../evil", "..", "", "a/b", ".hidden"}) {
    hub_override_ = [&](const Request& request) -> std::optional<Response> {
      if (!request.path.ends_with("config.json")) return std::nullopt;
      return Response{.headers = {{"ETag", std::string("\"") + etag + "\""}}, .body = "{}"};
    };
    EXPECT_FALSE(Pull("org/name", options_)) << etag;
    EXPECT_THAT(CacheFiles(), IsEmpty());
  }
  hub_override_ = nullptr;
  for (const char* commit : {"../../x", "", "main", "0123456789ABCDEF"}) {
    commit_ = commit;
    EXPECT_FALSE(Pull("org/name", options_)) << commit;
    EXPECT_THAT(CacheFiles(), IsEmpty());
  }
}

TEST_F(PullTest, PicksOneGguf) {
  files_.clear();
  AddLarge("m-Q4_0.gguf", "four");
  AddLarge("big/m-Q8_0-00001-of-00002.gguf", "one");
  AddLarge("big/m-Q8_0-00002-of-00002.gguf", "two");
  const auto several = Pull("org/name", options_);
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().Message(), HasSubstr("org/name:"));
  const auto one = Pull("org/name:m-Q4_0.gguf", options_);
  ASSERT_TRUE(one) << one.error().Message();
  EXPECT_EQ(Slurp(*one + "/m-Q4_0.gguf"), "four");
  EXPECT_FALSE(fs::exists(*one + "/big"));
  const auto split = Pull("org/name:Q8_0", options_);
  ASSERT_TRUE(split) << split.error().Message();
  EXPECT_EQ(Slurp(*split + "/big/m-Q8_0-00002-of-00002.gguf"), "two");
  files_.erase("big/m-Q8_0-00002-of-00002.gguf");
  EXPECT_FALSE(Pull("org/name:Q8_0", options_));
}

TEST_F(PullTest, PrefersIndexedShards) {
  AddLarge("model-00001-of-00001.safetensors", "shard");
  files_["model.safetensors.index.json"] = {"{}", false, ""};
  files_["tokenizer.json"] = {"{}", false, ""};
  files_["chat_template.jinja"] = {"x", false, ""};
  const auto snapshot = Pull("org/name", options_);
  ASSERT_TRUE(snapshot) << snapshot.error().Message();
  EXPECT_THAT(
      FilesBelow(*snapshot),
      UnorderedElementsAre("config.json", "tokenizer.json", "chat_template.jinja",
                           "model-00001-of-00001.safetensors", "model.safetensors.index.json"));
}

TEST_F(PullTest, SaysWhatTheServerSays) {
  const auto message = [&](int status) {
    hub_override_ = [status](const Request&) { return Response{.status = status}; };
    const auto pulled = Pull("org/name", options_);
    EXPECT_FALSE(pulled);
    EXPECT_FALSE(pulled.error().remedy.empty());
    return pulled.error().Message();
  };
  EXPECT_THAT(message(404), HasSubstr("no such model"));
  EXPECT_THAT(message(401), HasSubstr("HF_TOKEN"));
  EXPECT_THAT(message(403), HasSubstr("terms"));
  EXPECT_THAT(message(503), HasSubstr("503"));
}

TEST_F(PullTest, TriesAgainWhenTheServerIsOverloaded) {
  int refusals = 2;
  hub_override_ = [&](const Request&) -> std::optional<Response> {
    if (refusals-- > 0) return Response{.status = 503};
    return std::nullopt;
  };
  const auto pulled = Pull("org/name", options_);
  EXPECT_TRUE(pulled) << pulled.error().Message();
}

TEST_F(PullTest, EndlessRedirectsEnd) {
  hub_override_ = [](const Request& request) {
    return Response{.status = 302, .headers = {{"Location", request.path}}};
  };
  const auto pulled = Pull("org/name", options_);
  ASSERT_FALSE(pulled);
  EXPECT_THAT(pulled.error().Message(), HasSubstr("redirected more than"));
}

TEST_F(PullTest, RedirectsToOtherProtocolsAreRefused) {
  hub_override_ = [&](const Request&) {
    return Response{.status = 302, .headers = {{"Location", "file:///etc/passwd"}}};
  };
  EXPECT_FALSE(Pull("org/name", options_));
}

TEST_F(PullTest, BadAnswersAndArguments) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"sha":1,"siblings":[]})",
        R"({"sha":"0123456789","siblings":[]})", R"({"sha":"0123456789","siblings":[1]})"}) {
    hub_override_ = [body](const Request&) { return Response{.body = body}; };
    const auto pulled = Pull("org/name", options_);
    ASSERT_FALSE(pulled) << body;
    EXPECT_EQ(pulled.error().Message().find('\n'), std::string::npos);
  }
  EXPECT_FALSE(Pull("../x", options_));
  PullOptions bad = options_;
  bad.revision = "../../x";
  EXPECT_FALSE(Pull("org/name", bad));
  bad = options_;
  bad.endpoint = "file:///tmp";
  EXPECT_FALSE(Pull("org/name", bad));
  bad = options_;
  bad.cache_root = "";
  EXPECT_FALSE(Pull("org/name", bad));
}

TEST(PullOptionsTest, ReadsTheEnvironment) {
  const TempFolder folder;
  const ScopedEnvironment home("HF_HOME", folder.path());
  const ScopedEnvironment cache("HF_HUB_CACHE", std::nullopt);
  const ScopedEnvironment path("HF_TOKEN_PATH", std::nullopt);
  const ScopedEnvironment endpoint("HF_ENDPOINT", "http://mirror");
  {
    const ScopedEnvironment token("HF_TOKEN", "  hf_one\n");
    EXPECT_EQ(PullOptionsFromEnvironment().token, "hf_one");
  }
  const ScopedEnvironment token("HF_TOKEN", std::nullopt);
  EXPECT_EQ(PullOptionsFromEnvironment().token, "");
  folder.Write("token", "hf_two\n");
  EXPECT_EQ(PullOptionsFromEnvironment().token, "hf_two");
  folder.Write("token", "hf\r\nX-Evil: 1");
  EXPECT_EQ(PullOptionsFromEnvironment().token, "");
  EXPECT_EQ(PullOptionsFromEnvironment().endpoint, "http://mirror");
  EXPECT_EQ(PullOptionsFromEnvironment().cache_root, folder / "hub");
}

TEST(OriginTest, ComparesHostsAndPorts) {
  EXPECT_EQ(Origin("https://Hub.Example/a"), Origin("https://hub.example:443/b?c"));
  EXPECT_NE(Origin("https://hub.example"), Origin("http://hub.example"));
  EXPECT_NE(Origin("https://hub.example"), Origin("https://hub.example:8443"));
  EXPECT_NE(Origin("https://hub.example"), Origin("https://hub.example.evil"));
  EXPECT_NE(Origin("https://hub.example"), Origin("https://hub.example@evil"));
  EXPECT_EQ(Origin("ftp://hub.example"), "");
  EXPECT_EQ(Origin("nonsense and more"), "");
}

}  // namespace
}  // namespace ergo::formats::hub
