#include "serve/control/status.h"

namespace ergo::serve {

OrderedJson StatusOf(Service& service) {
  static constexpr std::string_view kStates[] = {"absent", "loading", "ready", "failed"};
  OrderedJson models = OrderedJson::array();
  for (const Models::Listed& listed : service.models().List()) {
    OrderedJson model = {{"name", listed.name},
                         {"state", kStates[static_cast<std::size_t>(listed.state)]}};
    if (!listed.error.empty()) model["error"] = listed.error;
    if (listed.model) {
      const runtime::LoopStats stats = listed.model->model->scheduler().stats();
      model["bytes"] = listed.model->bytes;
      model["kv_bytes"] = stats.kv_bytes;
      model["running"] = stats.running;
      model["waiting"] = stats.waiting;
    }
    models.push_back(std::move(model));
  }
  return {{"models", std::move(models)},
          {"requests", service.admission().alive()},
          {"draining", service.draining()}};
}

}  // namespace ergo::serve
