#!/bin/sh
# Makes what supabase/auth expects to find: a database with the schema auth, and the role postgres, which its migrations
# grant reading to. Nothing of the chat's own database is touched. May run any number of times.
set -eu

exists() { [ "$(psql --no-psqlrc --tuples-only --no-align --command "$1")" = 1 ]; }

exists "select 1 from pg_roles where rolname = 'postgres'" || psql --no-psqlrc --command 'create role postgres nologin'
exists "select 1 from pg_database where datname = 'auth'" || psql --no-psqlrc --command 'create database auth'
psql --no-psqlrc --dbname auth --command 'create schema if not exists auth'
echo 'The database auth is there.'
