//! The role of an instance, as its metadata service tells it.

use amint_guest::imds::{InstanceRole, RoleCredentials};
use jiff::{SignedDuration, Timestamp};

use super::sessions::Fresh;
use crate::operations::iam::{find_profile, find_role, trust};
use crate::records::Session;
use crate::state::StateError;
use crate::world::World;

/// Who assumes the roles of instances.
const SERVICE: &str = "ec2.amazonaws.com";
/// How long credentials of instances last.
const LASTING: SignedDuration = SignedDuration::from_hours(6);

/// The session that an instance has.
#[derive(Debug, Default)]
pub(crate) struct InstanceSession(Option<Session>);

impl InstanceSession {
    /// Tells whether new credentials are due: half of their time is over, so that the guest always has some that last.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.0.as_ref().is_some_and(|session| {
            let rest = session.expires.duration_since(now);
            rest < session.expires.duration_since(session.created) / 2
        })
    }
}

/// Returns the role of an instance, with credentials that last; none for an instance without a profile. `held` keeps them.
pub(crate) fn instance_role(world: &World, id: &str, held: &mut InstanceSession) -> Option<InstanceRole> {
    let now = world.clock().now();
    let (profile, role) = {
        let tables = world.state.read();
        let instance = tables.instances.get(id)?;
        let profile = find_profile(&tables, &instance.account, instance.profile.as_deref()?)?;
        let role = profile.role.as_ref().and_then(|name| find_role(&tables, &profile.account, name));
        (profile, role)
    };
    let trusting = role.as_ref().filter(|role| trust::is_service_trusted(&role.trust, SERVICE));
    match trusting {
        None => held.0 = None,
        Some(role) => {
            let is_his = held.0.as_ref().is_some_and(|session| session.role_id == role.unique_id);
            if !is_his || held.is_due(now) {
                // Without random numbers, or room on the disk, what is held has to do.
                if let Ok(fresh) = Fresh::new(&role.account) {
                    let opened = world.state.change_at_once::<_, StateError>(|change| {
                        Ok(fresh.open(world, change, role, id, (now, LASTING)))
                    });
                    held.0 = opened.ok().or_else(|| held.0.take().filter(|_| is_his));
                }
            }
        }
    }
    Some(InstanceRole {
        profile_arn: profile.arn(),
        profile_id: profile.unique_id.clone(),
        role: role.map(|role| role.name.clone()),
        credentials: held.0.as_ref().map(|session| RoleCredentials {
            access_key_id: session.id.clone(),
            secret: session.secret.0.clone(),
            token: session.token.0.clone(),
            updated: session.created,
            expires: session.expires,
        }),
    })
}
