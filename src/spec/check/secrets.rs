//! Parameters that take a secret: a reference to where it is kept, never the secret itself.

use super::Checker;
use super::expressions::Names;
use crate::catalog::Parameter;
use crate::spec::form::PS_CREDENTIAL;
use crate::spec::problem::Problem;
use crate::spec::template::{SecretValue, Template};
use crate::spec::tree::{Content, Node};

impl Checker<'_> {
    /// The value of a parameter whose type is `SecureString` or `PSCredential`.
    pub(super) fn secret(
        &mut self,
        parameter: Parameter,
        node: &Node,
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let name = parameter.name();
        let is_credential = parameter.type_name() == "PSCredential";
        let Content::Map(entries) = &node.content else {
            if !is_credential && Self::calls_secret(node) {
                return self.secret_call(node).map(|kept| Template::Secret(SecretValue::Text(kept)));
            }
            self.no_reference(parameter, node);
            return None;
        };
        if !is_credential {
            let reference = self.reference(name, node)?;
            return Some(Template::Secret(SecretValue::Text(reference)));
        }
        self.hide_unknown(entries, &PS_CREDENTIAL, &[]);
        let fields = self.fields_besides(node, &format!("`{name}`"), &PS_CREDENTIAL, &[])?;
        let (Some(user), Some(password)) = (fields.get("user_name"), fields.get("password")) else {
            let title = format!("`{name}` is a user name with a password, and one of the two is missing");
            self.report(Problem::error(fields.head(), title).help(how(parameter)));
            return None;
        };
        let user_name = self.text(user, "user_name").map(str::to_owned);
        let user_name = user_name.and_then(|text| self.template(user, &text, names));
        let password = match &password.content {
            Content::Map(_) => self.reference("password", password)?,
            _ if Self::calls_secret(password) => self.secret_call(password)?,
            _ => {
                self.no_reference(parameter, password);
                return None;
            }
        };
        Some(Template::Secret(SecretValue::Credential { user_name: Box::new(user_name?), password }))
    }

    /// Something else stands where a reference should: it may be the secret, and is not shown.
    fn no_reference(&mut self, parameter: Parameter, node: &Node) {
        let name = parameter.name();
        if node.is_absent() || node.is_null() {
            let title = format!("`{name}` takes a secret, and nothing says where it is kept");
            self.report(Problem::error(node.span.clone(), title).help(how(parameter)));
            return;
        }
        self.secrets.push(node.span.clone());
        let title =
            format!("`{name}` takes a secret: the file says where it is kept, never the secret itself");
        self.report(
            Problem::error(node.span.clone(), title)
                .label("not shown")
                .help(how(parameter))
                .help("if this is the secret: whoever could read this file knows it now, replace it"),
        );
    }
}

/// How a reference is written.
fn how(parameter: Parameter) -> String {
    let reference = "`vault: {path: PATH}`, `file: PATH` or `env: NAME_OF_A_VARIABLE`";
    if parameter.type_name() == "PSCredential" {
        format!(
            "write `{}:`, below it `user_name: NAME` and `password:`, and below that {reference}",
            parameter.name()
        )
    } else {
        let name = parameter.name();
        format!(
            "write `{name}:`, and below it {reference}; or `{name}: ${{{{ secret(\"MOUNT/PATH#FIELD\") }}}}`"
        )
    }
}
