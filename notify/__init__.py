"""Ways to reach people: the log, e-mail, a webhook. Adapters of `services.alerting.Notifier`."""
