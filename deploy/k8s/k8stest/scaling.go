package k8stest

import (
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// adapterValues is as much of the values of the chart prometheus-adapter as we give.
type adapterValues struct {
	Prometheus struct {
		URL  string `json:"url"`
		Port int    `json:"port"`
	} `json:"prometheus"`
	Rules struct {
		Default  bool `json:"default"`
		Custom   []struct{}
		Resource *struct{} `json:"resource"`
		External []struct {
			SeriesQuery string `json:"seriesQuery"`
			Name        struct {
				Matches string `json:"matches"`
				As      string `json:"as"`
			} `json:"name"`
			Resources struct {
				Namespaced *bool `json:"namespaced"`
			} `json:"resources"`
			MetricsQuery string `json:"metricsQuery"`
		} `json:"external"`
	} `json:"rules"`
}

// CheckScaling answers with a sentence for each metric that an autoscaler asks for and that does not come to it: by the adapter's
// values out of what Prometheus' rules record; and for each that comes and nobody asks for.
func CheckScaling(m *Manifests, adapter, recorded string) []string {
	c := &checker{Manifests: m}
	var values adapterValues
	if err := yaml.UnmarshalStrict([]byte(adapter), &values); err != nil {
		return []string{fmt.Sprintf("the adapter's values cannot be read: %v", err)}
	}
	offered := map[string]bool{}
	for _, rule := range values.Rules.External {
		where := thing("The adapter's " + rule.Name.As)
		series := regexp.MustCompile(`^\{__name__="([a-zA-Z0-9_:]+)"\}$`).FindStringSubmatch(rule.SeriesQuery)
		switch {
		case series == nil:
			c.found(where, "is of %s, more than one series", rule.SeriesQuery)
			continue
		case !strings.Contains(recorded, "- record: "+series[1]+"\n"):
			c.found(where, "is of %s, which nobody records", series[1])
		case !strings.Contains(rule.MetricsQuery, series[1]):
			c.found(where, "asks for %s, and looks for %s", rule.MetricsQuery, series[1])
		case !is(rule.Resources.Namespaced, false):
			c.found(where, "is said to be of a namespace, which recorded series do not name")
		}
		offered[rule.Name.As] = false
	}
	for _, scaler := range m.Autoscalers {
		for _, metric := range scaler.Spec.Metrics {
			if metric.External == nil {
				continue
			}
			name := metric.External.Metric.Name
			if _, has := offered[name]; !has {
				c.found(thing("HorizontalPodAutoscaler "+scaler.Name), "asks for %s, which the adapter does not offer", name)
			}
			offered[name] = true
		}
	}
	for name, asked := range offered {
		if !asked && len(m.Autoscalers) > 0 {
			c.found(thing("The adapter's "+name), "is asked for by nobody")
		}
	}
	return c.problems
}
