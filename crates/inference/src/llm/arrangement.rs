//! The messages of a prompt in the order and the roles that a model takes.

use std::borrow::Cow;

use qanda_core::ports::Message;
use qanda_core::question::Role;

/// Arrangement of the messages, from the usual one to the plainest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Arrangement {
    /// As they are.
    #[default]
    AsGiven,
    /// Neighbours of one role in one message, for templates that want the roles to alternate.
    Merged,
    /// Besides, no instructions of the service but in the user's first message, for models without such a role.
    WithoutSystem,
}

impl Arrangement {
    /// All of them, from the usual one to the plainest.
    pub(crate) const ALL: [Self; 3] = [Self::AsGiven, Self::Merged, Self::WithoutSystem];

    pub(crate) fn of(self, messages: &[Message]) -> Cow<'_, [Message]> {
        match self {
            Self::AsGiven => Cow::Borrowed(messages),
            Self::Merged => Cow::Owned(merged(messages.iter().cloned())),
            Self::WithoutSystem => Cow::Owned(without_system(messages)),
        }
    }

    /// The next plainer arrangement that changes something about these messages.
    pub(crate) fn plainer(self, messages: &[Message]) -> Option<Self> {
        let now = self.of(messages);
        [Self::Merged, Self::WithoutSystem].into_iter().find(|other| *other > self && other.of(messages) != now)
    }
}

fn merged(messages: impl Iterator<Item = Message>) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::new();
    for message in messages {
        match merged.last_mut() {
            Some(last) if last.role == message.role => {
                last.content.push_str("\n\n");
                last.content.push_str(&message.content);
            }
            _ => merged.push(message),
        }
    }
    merged
}

fn without_system(messages: &[Message]) -> Vec<Message> {
    let as_user = messages.iter().map(|message| match message.role {
        Role::System => Message::new(Role::User, message.content.clone()),
        _ => message.clone(),
    });
    merged(as_user)
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, Message, Role};

    fn messages(roles: &[(Role, &str)]) -> Vec<Message> {
        roles.iter().map(|(role, content)| Message::new(*role, *content)).collect()
    }

    #[test]
    fn instructions_go_into_the_first_message_and_roles_alternate() {
        use Role::{Assistant, System, User};
        let given = messages(&[(System, "Be brief."), (User, "a"), (User, "b"), (Assistant, "c"), (User, "d")]);
        let merged = messages(&[(System, "Be brief."), (User, "a\n\nb"), (Assistant, "c"), (User, "d")]);
        let plain = messages(&[(User, "Be brief.\n\na\n\nb"), (Assistant, "c"), (User, "d")]);
        assert_eq!(*Arrangement::Merged.of(&given), merged);
        assert_eq!(*Arrangement::WithoutSystem.of(&given), plain);
        assert_eq!(Arrangement::AsGiven.plainer(&given), Some(Arrangement::Merged));
        assert_eq!(Arrangement::AsGiven.plainer(&merged), Some(Arrangement::WithoutSystem));
        assert_eq!(Arrangement::AsGiven.plainer(&plain), None, "there is nothing left to change");
        assert_eq!(Arrangement::WithoutSystem.plainer(&given), None);
        let first = messages(&[(System, "Be brief."), (Assistant, "c"), (User, "d")]);
        assert_eq!(
            *Arrangement::WithoutSystem.of(&first),
            messages(&[(User, "Be brief."), (Assistant, "c"), (User, "d")])
        );
    }
}
