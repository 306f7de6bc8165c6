//! Problems of people: logins, members, invitations, roles, teams; and of keys.

problems! {
    401 invalid_code at createSession:
        "The login code or link is wrong, used, expired or unknown."
        "Ask for another code with POST /v1/login.";
    401 invalid_refresh_token at refreshSession:
        "The refresh token is unknown, expired, or an older one of its session, which then ends."
        "Log in again with POST /v1/login.";
    401 invalid_second_factor at createSession:
        "The code of the authenticator app is wrong or was used."
        "Send the current code. The login code stays valid.";
    403 invalid_second_factor at confirmSecondFactor removeSecondFactor:
        "The code of the authenticator app is wrong or was used."
        "Send the current code of the app, or a recovery code.";
    400 second_factor_required at removeSecondFactor:
        "The request lacks the code of the second factor."
        "Send the code in the header `Second-Factor-Code`.";
    409 second_factor_required at createSession:
        "The person has a second factor, and the request lacks its code."
        "Send the same request with `secondFactorCode`. The login code stays valid.";
    409 second_factor_exists at enrolSecondFactor confirmSecondFactor:
        "The person has a second factor."
        "Remove it with DELETE /v1/second-factor before creating another one.";
    409 organization_required at createSession:
        "The person is a member of several organizations, which `organizations` lists."
        "Send the same request with one of their ids in `organization`.";
    409 refreshed_meanwhile at refreshSession:
        "A concurrent request refreshed the session; it continues."
        "Use the tokens of the other request.";
    404 invitation_not_valid at acceptInvitation:
        "The link accepts no invitation: it is unknown, used, expired or revoked."
        "Ask for another invitation.";
    409 already_invited at createInvitation:
        "An invitation to this email address is pending."
        "Send it again with POST /v1/invitations/{id}/mails, or revoke it first.";
    409 already_member at createInvitation:
        "The email address belongs to a member."
        "Change the member with PATCH /v1/members/{id}.";
    409 invitation_not_pending at mailInvitation revokeInvitation:
        "The invitation has ended."
        "Create another one with POST /v1/invitations.";
    409 too_many_invitations at createInvitation:
        "As many invitations are pending as an organization may have."
        "Revoke invitations that are no longer needed.";
    409 too_many_mails at mailInvitation:
        "The invitation was mailed as often as possible."
        "Revoke the invitation and create another one.";
    409 last_owner at updateMember removeMember:
        "The member is the last owner of the organization."
        "Make another member an owner first.";
    400 unknown_role at createInvitation updateMember createTeam updateTeam putTeamMember listMembers:
        "There is no such role."
        "GET /v1/roles lists the roles by their keys.";
    400 role_not_allowed at createInvitation createTeam updateTeam:
        "The team does not allow this role."
        "Send one of the team's `allowedRoles`, or change the settings of the team.";
    409 role_not_allowed at putTeamMember deleteTeam:
        "The team does not allow this role."
        "Send one of the team's `allowedRoles`, or change the settings of the team.";
    400 role_required at putTeamMember:
        "The team has no default role, and the request names none."
        "Send a role.";
    409 built_in_role at updateRole deleteRole:
        "Built-in roles never change."
        "Create a role of your own with POST /v1/roles.";
    409 role_exists at createRole:
        "A role with this key exists."
        "Send another key.";
    409 role_in_use at deleteRole:
        "Members, teams or invitations use the role."
        "Give them another role first.";
    409 too_many_roles at createRole:
        "The organization has as many roles as it may have."
        "Delete roles that are no longer needed.";
    400 unknown_team at createInvitation createTeam updateTeam deleteTeam:
        "There is no such team."
        "GET /v1/teams lists the teams.";
    400 team_cycle at deleteTeam:
        "The team that takes over lies below the deleted one."
        "Name a team outside of it.";
    409 team_cycle at updateTeam:
        "The new parent lies below the team."
        "Name a parent outside of the team.";
    409 team_not_empty at deleteTeam:
        "The team has members, or teams below it."
        "Empty the team, or name in `reassignTo` the team that takes over.";
    409 team_too_deep at createTeam updateTeam deleteTeam:
        "The tree would be deeper than eight teams."
        "Choose a higher parent.";
    409 too_many_teams at createTeam:
        "The organization has as many teams as it may have."
        "Delete teams that are no longer needed.";
    400 person_required at checkPermission:
        "The credential belongs to no person, and the request names none."
        "Send the id of a member in `person`.";
    400 unknown_permission at checkPermission:
        "There is no such permission."
        "GET /v1/permissions lists the permissions.";
    409 key_ended at rotateApiKey rotatePlatformKey rotateOAuthClient:
        "The key is expired or revoked and cannot be rotated."
        "Create a new key.";
}
