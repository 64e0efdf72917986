package api

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

type noInput struct{}

type serverConfig struct {
	Auth struct {
		Provider        string `json:"provider" enum:"local,supabase"`
		SupabaseURL     string `json:"supabase_url,omitempty" doc:"The project that signs people in, where the provider is supabase"`
		SupabaseAnonKey string `json:"supabase_anon_key,omitempty" doc:"The project's public key"`
		Signup          bool   `json:"signup" doc:"Whether strangers may make accounts"`
	} `json:"auth"`
	Limits struct {
		MessageRunes   int `json:"message_runes"`
		FrameBytes     int `json:"frame_bytes"`
		UploadBytes    int `json:"upload_bytes" doc:"0 is none"`
		SendsPerSecond int `json:"sends_per_second"`
		SendBurst      int `json:"send_burst"`
	} `json:"limits"`
	Features struct {
		Search  bool `json:"search"`
		Uploads bool `json:"uploads"`
		Mood    bool `json:"mood"`
		Match   bool `json:"match"`
	} `json:"features"`
	Version string `json:"version"`
}

type configOutput struct{ Body serverConfig }

func (s *Server) getConfig(context.Context, *noInput) (*configOutput, error) {
	var out configOutput
	out.Body.Auth.Provider, out.Body.Auth.Signup = "local", s.Accounts.SignupOpen()
	if s.Supabase != nil {
		out.Body.Auth.Provider, out.Body.Auth.SupabaseURL, out.Body.Auth.SupabaseAnonKey = "supabase", s.Supabase.URL, s.Supabase.AnonKey
	}
	out.Body.Limits.MessageRunes, out.Body.Limits.FrameBytes = chat.MessageRunesMax, chat.FrameBytesMax
	out.Body.Limits.SendsPerSecond, out.Body.Limits.SendBurst = chat.SendsPerSecond, chat.SendBurst
	out.Body.Features.Mood = s.Moods != nil
	out.Body.Version = s.Version
	return &out, nil
}
