module github.com/blabber-hive/blabber-hive/deploy/compose/grafana/generate

go 1.26

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
