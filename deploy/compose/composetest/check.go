package composetest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// Checker finds what is wrong with a project.
type Checker struct {
	// Programs are what each service runs.
	Programs map[string]Program
	// Texts are files that name services beside compose.yaml, by the service that reads them.
	Texts map[string][]string

	project  *types.Project
	problems []string
}

// Check answers with a sentence for each thing that is wrong with a project.
func (c *Checker) Check(project *types.Project) []string {
	c.project, c.problems = project, nil
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		service := project.Services[name]
		program, known := c.Programs[name]
		if !known {
			c.found(name, "is in no table of what programs take")
			continue
		}
		c.image(service, program)
		c.variables(service, program)
		c.ports(service, program)
		c.volumes(service, program)
		c.health(service, program)
		c.dependencies(service)
		c.reaches(service)
		c.rights(service, program)
	}
	c.shared()
	return c.problems
}

func (c *Checker) found(service, format string, args ...any) {
	c.problems = append(c.problems, service+" "+fmt.Sprintf(format, args...))
}

func (c *Checker) image(s types.ServiceConfig, p Program) {
	name, version, _ := strings.Cut(s.Image, ":")
	if name != p.Image {
		c.found(s.Name, "runs the image %s, want %s", name, p.Image)
	}
	if !strings.ContainsAny(version, "0123456789") {
		c.found(s.Name, "has an image without a version: %q", s.Image)
	}
	if s.ContainerName != "" {
		c.found(s.Name, "has a fixed container name, so there can be only one of it")
	}
}

func (c *Checker) variables(s types.ServiceConfig, p Program) {
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if name != "TZ" && !slices.Contains(p.Variables, name) {
			c.found(s.Name, "is given the variable %s, which it does not read", name)
		}
	}
	if s.Environment["TZ"] == nil {
		c.found(s.Name, "is not given TZ")
	}
}

func (c *Checker) ports(s types.ServiceConfig, p Program) {
	for _, port := range s.Ports {
		if target := fmt.Sprint(port.Target); !slices.Contains(p.Ports, target) {
			c.found(s.Name, "publishes port %s, on which it does not listen", target)
		}
		if s.Name != "nginx" && port.HostIP != "127.0.0.1" {
			c.found(s.Name, "is published to everybody, which only nginx may be")
		}
	}
}

func (c *Checker) volumes(s types.ServiceConfig, p Program) {
	for _, volume := range s.Volumes {
		switch volume.Type {
		case types.VolumeTypeVolume:
			if !slices.Contains(p.Data, volume.Target) {
				c.found(s.Name, "has a volume at %s, where it keeps nothing", volume.Target)
			}
		case types.VolumeTypeBind:
			if !slices.Contains(p.Settings, volume.Target) {
				c.found(s.Name, "is given %s, which it does not read", volume.Target)
			}
			if _, err := os.Stat(volume.Source); err != nil {
				c.found(s.Name, "is given a file that is not there: %s", filepath.Base(volume.Source))
			}
			if !volume.ReadOnly {
				c.found(s.Name, "may write to %s, a file of ours", volume.Target)
			}
		default:
			c.found(s.Name, "has a %s at %s", volume.Type, volume.Target)
		}
	}
	kept := slices.Collect(func(yield func(string) bool) {
		for _, volume := range s.Volumes {
			if !yield(volume.Target) {
				return
			}
		}
		for _, tmpfs := range s.Tmpfs {
			path, _, _ := strings.Cut(tmpfs, ":")
			if !yield(path) {
				return
			}
		}
	})
	for _, folder := range p.Data {
		if !slices.Contains(kept, folder) {
			c.found(s.Name, "keeps something in %s, which is neither a volume nor in memory", folder)
		}
	}
}

func (c *Checker) health(s types.ServiceConfig, p Program) {
	asked := s.HealthCheck != nil && !s.HealthCheck.Disable
	switch {
	case asked && (p.Ends || p.Unasked):
		c.found(s.Name, "has a health check, which it cannot answer")
	case !asked && !p.Ends && !p.Unasked:
		c.found(s.Name, "has no health check")
	case !asked && p.Image == "blabber-hive" && s.HealthCheck == nil:
		c.found(s.Name, "has the health check of its image, which it cannot answer")
	}
	if !asked {
		return
	}
	test := strings.Join(s.HealthCheck.Test, " ")
	for _, match := range regexp.MustCompile(`(?:localhost|127\.0\.0\.1)[:/](\d+)`).FindAllStringSubmatch(test, -1) {
		if !slices.Contains(p.Ports, match[1]) {
			c.found(s.Name, "is asked for its health on port %s, on which it does not listen", match[1])
		}
	}
	if s.HealthCheck.Interval == nil || s.HealthCheck.Timeout == nil || s.HealthCheck.Retries == nil {
		c.found(s.Name, "has a health check without interval, timeout and retries")
	}
}

func (c *Checker) dependencies(s types.ServiceConfig) {
	for _, name := range slices.Sorted(maps.Keys(s.DependsOn)) {
		on := c.project.Services[name]
		ends := c.Programs[name].Ends
		switch condition := s.DependsOn[name].Condition; condition {
		case types.ServiceConditionHealthy:
			if on.HealthCheck == nil || on.HealthCheck.Disable {
				c.found(s.Name, "waits for %s to be healthy, which has no health check", name)
			}
		case types.ServiceConditionCompletedSuccessfully:
			if !ends {
				c.found(s.Name, "waits for %s to end, which it does not", name)
			}
		default:
			c.found(s.Name, "waits for %s only to be started (%s)", name, condition)
		}
		if !ends && !slices.ContainsFunc(c.words(s), func(word string) bool { return c.names(word, name) }) {
			c.found(s.Name, "waits for %s and never names it", name)
		}
	}
}

// words are all texts in which a service can name another.
func (c *Checker) words(s types.ServiceConfig) []string {
	words := append(slices.Clone([]string(s.Command)), c.Texts[s.Name]...)
	for _, value := range s.Environment {
		if value != nil {
			words = append(words, *value)
		}
	}
	return words
}

func (c *Checker) names(text, service string) bool {
	return regexp.MustCompile(`(^|[^a-zA-Z0-9_.-])` + regexp.QuoteMeta(service) + `($|[^a-zA-Z0-9_.-])`).MatchString(text)
}

// reaches looks at every address of another service: that it waits for it, shares a network with it, and that the port is one.
// Files name services of profiles that may be off, and nginx and Prometheus ask again: they need not wait.
func (c *Checker) reaches(s types.ServiceConfig) {
	address := regexp.MustCompile(`(?:^|[^a-zA-Z0-9_.-])([a-z][a-z0-9-]*):(\d{2,5})\b`)
	for _, text := range c.words(s) {
		for _, match := range address.FindAllStringSubmatch(text, -1) {
			name, port := match[1], match[2]
			program, known := c.Programs[name]
			if !known || name == s.Name {
				continue // localhost, the text of a URL's scheme, or itself
			}
			if !slices.Contains(program.Ports, port) {
				c.found(s.Name, "looks for %s on port %s, on which it does not listen", name, port)
			}
			other, on := c.project.Services[name]
			if !on {
				continue
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(s.Networks)), func(network string) bool { _, both := other.Networks[network]; return both }) {
				c.found(s.Name, "looks for %s, with which it shares no network", name)
			}
			if _, waits := s.DependsOn[name]; !waits && !slices.ContainsFunc(c.Texts[s.Name], func(file string) bool { return file == text }) && !c.waitsThrough(s, name) {
				c.found(s.Name, "looks for %s and does not wait for it", name)
			}
		}
	}
}

// waitsThrough reports whether what a service waits for waits for another in its turn, or would be told by nobody: a command
// that prepares a cluster reads all addresses of it and calls those that it needs.
func (c *Checker) waitsThrough(s types.ServiceConfig, name string) bool {
	if s.Name == "kafka-setup" && name == "redis" {
		return true
	}
	for on := range s.DependsOn {
		if _, waits := c.project.Services[on].DependsOn[name]; waits {
			return true
		}
	}
	return false
}

func (c *Checker) rights(s types.ServiceConfig, p Program) {
	if !slices.Equal(s.CapDrop, []string{"ALL"}) {
		c.found(s.Name, "keeps capabilities: cap_drop is %v, want ALL", s.CapDrop)
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		c.found(s.Name, "may gain rights: no-new-privileges is missing")
	}
	if s.Privileged {
		c.found(s.Name, "is privileged")
	}
	if s.ReadOnly == p.Writes {
		c.found(s.Name, "has read_only %v", s.ReadOnly)
	}
	if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 || s.Deploy.Resources.Limits.NanoCPUs == 0 {
		c.found(s.Name, "has no limit of memory or processors")
	}
	want := types.RestartPolicyUnlessStopped
	if p.Ends {
		want = types.RestartPolicyOnFailure
	}
	if s.Restart != want {
		c.found(s.Name, "has restart %q, want %q", s.Restart, want)
	}
	if text := s.Environment["SHUTDOWN_TIMEOUT"]; text != nil {
		timeout, err := time.ParseDuration(*text)
		if err != nil || s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= timeout {
			c.found(s.Name, "is killed before its SHUTDOWN_TIMEOUT of %s is over", *text)
		}
	}
}

// shared looks at what belongs to no service alone.
func (c *Checker) shared() {
	used := make(map[string]bool)
	for _, service := range c.project.Services {
		for _, volume := range service.Volumes {
			used[volume.Source] = true
		}
	}
	for name := range c.project.Volumes {
		if !used[name] {
			c.found("compose.yaml", "has the volume %s, which nobody uses", name)
		}
	}
	if !c.project.Networks["inside"].Internal {
		c.found("compose.yaml", "has a network for data that has a way out")
	}
	for _, name := range []string{"postgres", "redis", "broker"} {
		if _, out := c.project.Services[name].Networks["blabber-hive"]; out {
			c.found(name, "is in the network with a way out")
		}
	}
	if nginx, ok := c.project.Services["nginx"]; ok {
		address := nginx.Networks["blabber-hive"].Ipv4Address
		if trusted := c.project.Services["blabber-hive"].Environment["TRUSTED_PROXIES"]; trusted == nil || *trusted != address {
			c.found("blabber-hive", "believes another proxy than nginx, whose address is %s", address)
		}
	}
}
