#include "serve/service/service.h"

#include <utility>

namespace ergo::serve {
namespace {

/// Requests that wait to be prepared; a few seconds' worth.
constexpr std::size_t kMostPrepared = 4096;
/// Answers that wait to be reasoned.
constexpr std::size_t kMostReasoned = 64;

}  // namespace

Service::Service(const ServiceOptions& options)
    : options_(options),
      log_(options.log_level),
      admission_(options.most_requests),
      sessions_(options.sessions) {}

Service::~Service() {
  // What it finds is handed to the workers, which end before it does.
  if (answers_ != nullptr) answers_->CloseFar();
}

Status Service::OpenAnswers(std::vector<ModelSource>* models) {
  CacheOptions options = options_.answers;
  options.far.on_change = [this](const std::string& error) {
    if (error.empty()) {
      log_.Write(Log::Level::kInfo, "answer_cache", {{"notice", "works again"}});
    } else {
      log_.Write(Log::Level::kWarning, "answer_cache", {{"error", error}});
    }
  };
  auto answers = AnswerCache::Create(options);
  if (!answers) return Fail(std::move(answers));
  answers_ = std::move(*answers);
  if (answers_ == nullptr) return {};
  // Its files are read right after they were loaded, on the thread that loads.
  for (ModelSource& source : *models) {
    source.load = [load = std::move(source.load), answers = answers_.get()] {
      auto model = load();
      if (model) answers->Learn(*model);
      return model;
    };
  }
  return {};
}

Result<std::unique_ptr<Service>> Service::Create(std::vector<ModelSource> models,
                                                 const ServiceOptions& options) {
  std::unique_ptr<Service> service(new Service(options));
  if (!options.keys_file.empty()) {
    if (auto read = service->keys_.Open(options.keys_file); !read) return Fail(std::move(read));
  }
  if (options.keep_traces) {
    auto store = reasoning::TraceStore::Open(options.traces);
    if (store) {
      service->traces_ = std::move(*store);
      service->trace_writer_ = std::make_unique<reasoning::StoreWriter>(service->traces_.get());
      if (!service->traces_->notice().empty()) {
        service->log_.Write(Log::Level::kWarning, "trace_store",
                            {{"notice", service->traces_->notice()}});
      }
    } else {
      service->log_.Write(Log::Level::kWarning, "trace_store",
                          {{"error", store.error().Message()}});
    }
  }
  if (!options.otlp_endpoint.empty()) {
    auto spans = SpanSender::Create(options.otlp_endpoint, options.version);
    if (!spans) return Fail(std::move(spans));
    service->spans_ = std::move(*spans);
  }
  if (auto opened = service->OpenAnswers(&models); !opened) return Fail(std::move(opened));
  service->models_ = std::make_unique<Models>(std::move(models), options.most_models);
  service->workers_ = std::make_unique<WorkerPool>(options.workers, kMostPrepared);
  service->reasoners_ = std::make_unique<WorkerPool>(options.reasoners, kMostReasoned);
  return service;
}

}  // namespace ergo::serve
