//! The credentials that an endpoint accepts. A handler's first argument is its actor, whose type names them: the OpenAPI document is made
//! from the same signature that refuses all others.

use utoipa::openapi::security::SecurityRequirement;

/// Implemented by each actor.
pub trait Secured {
    /// The accepted credentials; one of them is enough.
    fn accepts() -> Vec<SecurityRequirement>;
}

/// The vendor's platform key.
pub fn platform_key() -> SecurityRequirement {
    SecurityRequirement::new::<_, [&str; 0], _>("platformKey", [])
}

/// An access token, of a member or of a machine.
pub fn access_token(scopes: &[&str]) -> SecurityRequirement {
    SecurityRequirement::new("accessToken", scopes.iter().copied())
}

/// Any credential that acts for an organization with these scopes.
pub fn of_organization(scopes: &[&str]) -> Vec<SecurityRequirement> {
    vec![SecurityRequirement::new("organizationKey", scopes.iter().copied()), access_token(scopes), platform_key()]
}

/// No credential at all.
pub fn nothing() -> SecurityRequirement {
    SecurityRequirement::default()
}

/// A handler whose first argument is an actor. `Arguments` distinguishes its implementations.
pub trait Handler<Arguments> {
    fn accepts(&self) -> Vec<SecurityRequirement>;
}

macro_rules! handlers {
    ($(($($rest:ident),*);)*) => {$(
        impl<F, Answer, A, $($rest),*> Handler<(A, $($rest,)*)> for F
        where
            F: Fn(A, $($rest),*) -> Answer,
            A: Secured,
        {
            fn accepts(&self) -> Vec<SecurityRequirement> {
                A::accepts()
            }
        }
    )*};
}

handlers! {
    ();
    (B);
    (B, C);
    (B, C, D);
    (B, C, D, E);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Guest;

    impl Secured for Guest {
        fn accepts() -> Vec<SecurityRequirement> {
            vec![nothing()]
        }
    }

    fn accepted<Arguments>(handler: &impl Handler<Arguments>) -> String {
        serde_json::to_string(&handler.accepts()).unwrap()
    }

    #[test]
    fn the_first_argument_says_what_is_accepted() {
        struct Reader;
        impl Secured for Reader {
            fn accepts() -> Vec<SecurityRequirement> {
                of_organization(&["usage.read"])
            }
        }
        assert_eq!(accepted(&|_: Guest| ()), "[{}]");
        assert_eq!(
            accepted(&|_: Reader, _: u8, _: Guest| ()),
            r#"[{"organizationKey":["usage.read"]},{"accessToken":["usage.read"]},{"platformKey":[]}]"#
        );
    }
}
