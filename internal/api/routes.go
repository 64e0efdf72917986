package api

import "net/http"

// routes is every route of /api/v1. What is not here is not found.
func routes() []route {
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	return []route{
		open(get, "/config", "getConfig", "What this server offers", (*Server).getConfig),

		open(post, "/auth/signup", "signUp", "Make an account and sign in", (*Server).signUp).creates().ofLocalAccounts(),
		open(post, "/auth/login", "logIn", "Sign in", (*Server).logIn).ofLocalAccounts(),
		open(post, "/auth/refresh", "refresh", "Trade the refresh cookie for a new access token", (*Server).refresh).ofLocalAccounts(),
		open(post, "/auth/logout", "logOut", "Sign out", (*Server).logOut).ofLocalAccounts(),
		signedIn(post, "/auth/password", "changePassword", "Change one's password and sign out everywhere else", (*Server).changePassword).ofLocalAccounts(),

		signedIn(get, "/me", "getMe", "One's own account", (*Server).getMe),
		signedIn(patch, "/me", "changeMe", "Change one's profile", (*Server).changeMe),
		signedIn(get, "/me/sessions", "listSessions", "Signed-in devices", (*Server).listSessions).ofLocalAccounts(),
		signedIn(del, "/me/sessions", "endOtherSessions", "Sign out everywhere else", (*Server).endOtherSessions).ofLocalAccounts(),
		signedIn(del, "/me/sessions/{session_id}", "endSession", "Sign one device out", (*Server).endSession).ofLocalAccounts(),
		signedIn(get, "/me/rooms", "listMyRooms", "One's rooms, newest activity first", (*Server).listMyRooms),

		signedIn(get, "/users", "searchUsers", "Find people by name", (*Server).searchUsers),

		signedIn(get, "/rooms", "browseRooms", "Public rooms, newest activity first", (*Server).browseRooms),
		signedIn(post, "/rooms", "createRoom", "Make a room", (*Server).createRoom).creates(),
		signedIn(get, "/rooms/{room_id}", "getRoom", "A room", (*Server).getRoom).describedBy(describeRoom),
		signedIn(patch, "/rooms/{room_id}", "changeRoom", "Change a room", (*Server).changeRoom),
		signedIn(del, "/rooms/{room_id}", "deleteRoom", "Delete a room for good", (*Server).deleteRoom),
		signedIn(post, "/rooms/{room_id}/join", "joinRoom", "Join a public room", (*Server).joinRoom),
		signedIn(post, "/rooms/{room_id}/leave", "leaveRoom", "Leave a room", (*Server).leaveRoom),

		signedIn(get, "/rooms/{room_id}/members", "listMembers", "Members, owners first", (*Server).listMembers),
		signedIn(put, "/rooms/{room_id}/members/{user_id}", "changeMember", "Set a role, mute or unmute", (*Server).changeMember),
		signedIn(del, "/rooms/{room_id}/members/{user_id}", "removeMember", "Remove a member", (*Server).removeMember),

		signedIn(get, "/rooms/{room_id}/bans", "listBans", "Who is kept out", (*Server).listBans),
		signedIn(post, "/rooms/{room_id}/bans", "ban", "Keep somebody out", (*Server).ban).creates(),
		signedIn(del, "/rooms/{room_id}/bans/{user_id}", "unban", "Let somebody in again", (*Server).unban),

		signedIn(get, "/rooms/{room_id}/invites", "listInvites", "Invites that can still be used", (*Server).listInvites),
		signedIn(post, "/rooms/{room_id}/invites", "createInvite", "Make an invite", (*Server).createInvite).creates(),
		signedIn(del, "/rooms/{room_id}/invites/{code}", "revokeInvite", "Revoke an invite", (*Server).revokeInvite),
		open(get, "/invites/{code}", "previewInvite", "Where an invite leads", (*Server).previewInvite),
		signedIn(post, "/invites/{code}/accept", "acceptInvite", "Accept an invite", (*Server).acceptInvite),

		signedIn(post, "/rooms/{room_id}/messages", "sendMessage", "Send a message", (*Server).sendMessage).describedBy(describeSend),
		signedIn(get, "/rooms/{room_id}/messages", "listMessages", "Messages, ascending by seq", (*Server).listMessages),
		signedIn(get, "/rooms/{room_id}/changes", "listChanges", "Everything that happened after a position", (*Server).listChanges),
		signedIn(patch, "/rooms/{room_id}/messages/{message_id}", "editMessage", "Edit one's own message", (*Server).editMessage),
		signedIn(del, "/rooms/{room_id}/messages/{message_id}", "deleteMessage", "Delete a message", (*Server).deleteMessage),
		signedIn(put, "/rooms/{room_id}/messages/{message_id}/reactions/{emoji}", "addReaction", "React to a message", (*Server).addReaction),
		signedIn(del, "/rooms/{room_id}/messages/{message_id}/reactions/{emoji}", "removeReaction", "Take a reaction back", (*Server).removeReaction),

		signedIn(put, "/rooms/{room_id}/read", "markRead", "Mark a room read, or unread from a message", (*Server).markRead),
		signedIn(get, "/rooms/{room_id}/mood", "getMood", "How a room's mood was", (*Server).getMood),

		signedIn(put, "/rooms/{room_id}/notify", "setNotify", "How much of a room to be told of", (*Server).setNotify),
	}
}
