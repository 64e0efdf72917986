package composetest

import "slices"

// Program is what an image takes, as its own documentation has it.
type Program struct {
	// Image is its name without a version.
	Image string
	// Ports are those that it listens on.
	Ports []string
	// Variables are those that it reads, TZ aside, which the C library and Go's read in all of them.
	Variables []string
	// Data are the folders that it keeps something in, Settings the files and folders that it reads.
	Data, Settings []string
	// Ends says that it does its work and ends.
	Ends bool
	// Unasked says that nothing in its image could ask how it is.
	Unasked bool
	// Writes says that it cannot do with a read-only root, as far as we know.
	Writes bool
}

// Programs are the services by name. serve and migrate are the variables that those two commands of blabber-hive read.
func Programs(serve, migrate []string) map[string]Program {
	chat := Program{
		Image: "blabber-hive", Ports: []string{"8080", "8090"},
		Variables: append(slices.Clone(serve), "GOMEMLIMIT"), // Go's own
		Data:      []string{"/data"},
	}
	setup := Program{Image: "blabber-hive", Variables: migrate, Ends: true}
	return map[string]Program{
		"blabber-hive": chat,
		"kafka-setup":  setup,
		"fastapi": {
			Image: "sentiment-analysis", Ports: []string{"8000"}, Variables: []string{"SENTIMENT_MODEL", "SENTIMENT_BATCH", "SENTIMENT_QUEUE"},
		},
		"nginx": {
			Image: "nginx", Ports: []string{"80", "8001", "443"},
			Settings: []string{
				"/etc/nginx/nginx.conf", "/etc/nginx/place.conf", "/etc/nginx/listen.conf", "/etc/nginx/ml.conf", "/etc/nginx/auth.conf",
				"/etc/nginx/tls",
			},
		},
		"broker": {
			Image: "apache/kafka", Ports: []string{"9092", "9093"}, Data: []string{"/var/lib/kafka/data"}, Writes: true,
			// KAFKA_X_Y is the setting x.y.
			Variables: []string{
				"CLUSTER_ID", "KAFKA_HEAP_OPTS", "KAFKA_NODE_ID", "KAFKA_PROCESS_ROLES", "KAFKA_CONTROLLER_QUORUM_VOTERS", "KAFKA_LISTENERS",
				"KAFKA_ADVERTISED_LISTENERS", "KAFKA_CONTROLLER_LISTENER_NAMES", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "KAFKA_LOG_DIRS",
				"KAFKA_AUTO_CREATE_TOPICS_ENABLE", "KAFKA_LOG_FLUSH_INTERVAL_MESSAGES", "KAFKA_BROKER_SESSION_TIMEOUT_MS",
				"KAFKA_BROKER_HEARTBEAT_INTERVAL_MS", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
				"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR",
				"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR",
			},
		},
		"postgres": {
			Image: "postgres", Ports: []string{"5432"}, Data: []string{"/var/lib/postgresql/data"},
			Variables: []string{"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS", "PGDATA"},
		},
		"redis": {
			Image: "redis", Ports: []string{"6379"},
			Variables: []string{"REDIS_PASSWORD", "REDISCLI_AUTH"}, // our command's, and redis-cli's
		},
		"prometheus": {Image: "prom/prometheus", Ports: []string{"9090"}, Data: []string{"/prometheus"}, Settings: []string{"/etc/prometheus"}},
		"grafana": {
			Image: "grafana/grafana", Ports: []string{"3000"}, Data: []string{"/var/lib/grafana"},
			Settings: []string{"/etc/grafana/provisioning", "/etc/grafana/dashboards"},
			// GF_SECTION_KEY is a key of a section of its grafana.ini.
			Variables: []string{
				"GF_SECURITY_ADMIN_PASSWORD", "GF_USERS_ALLOW_SIGN_UP", "GF_ANALYTICS_REPORTING_ENABLED", "GF_ANALYTICS_CHECK_FOR_UPDATES",
				"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "GF_PATHS_PROVISIONING",
			},
		},
		"postgres-exporter": {
			Image: "prometheuscommunity/postgres-exporter", Ports: []string{"9187"}, Unasked: true,
			Variables: []string{"DATA_SOURCE_URI", "DATA_SOURCE_USER", "DATA_SOURCE_PASS"},
		},
		"redis-exporter": {
			Image: "oliver006/redis_exporter", Ports: []string{"9121"}, Unasked: true, Variables: []string{"REDIS_ADDR", "REDIS_PASSWORD"},
		},
		"kafka-exporter": {Image: "danielqsj/kafka-exporter", Ports: []string{"9308"}, Unasked: true},
		"node-exporter":  {Image: "prom/node-exporter", Ports: []string{"9100"}, Settings: []string{"/host"}},
		"supabase-setup": {
			Image: "postgres", Ends: true, Settings: []string{"/setup.sh"}, Variables: []string{"PGHOST", "PGUSER", "PGDATABASE", "PGPASSWORD"}, // psql's
		},
		"supabase-auth": {
			Image: "supabase/gotrue", Ports: []string{"9999"},
			Variables: []string{
				"GOTRUE_API_HOST", "GOTRUE_API_PORT", "API_EXTERNAL_URL", "GOTRUE_SITE_URL", "GOTRUE_URI_ALLOW_LIST", "GOTRUE_DB_DRIVER",
				"GOTRUE_DB_DATABASE_URL", "GOTRUE_JWT_SECRET", "GOTRUE_JWT_AUD", "GOTRUE_JWT_DEFAULT_GROUP_NAME", "GOTRUE_JWT_ADMIN_ROLES",
				"GOTRUE_JWT_EXP", "GOTRUE_JWT_ISSUER", "GOTRUE_EXTERNAL_EMAIL_ENABLED", "GOTRUE_MAILER_AUTOCONFIRM", "GOTRUE_DISABLE_SIGNUP",
			},
		},
	}
}
