//! The tenant's settings: transport, organization, domains.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::Prop;
use super::parameters::{Kind, Parameter, missing, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-TransportConfig", effect: Effect::Read, parameters: &[], run: get_transport },
    Cmdlet {
        name: "Set-TransportConfig",
        effect: Effect::Write,
        parameters: &[SET_TRANSPORT],
        run: set_transport,
    },
    Cmdlet { name: "Get-OrganizationConfig", effect: Effect::Read, parameters: &[], run: get_organization },
    Cmdlet {
        name: "Set-OrganizationConfig",
        effect: Effect::Write,
        parameters: &[SET_ORGANIZATION],
        run: set_organization,
    },
    Cmdlet { name: "Get-AcceptedDomain", effect: Effect::Read, parameters: &[GET], run: get_accepted },
    Cmdlet {
        name: "Set-AcceptedDomain",
        effect: Effect::Write,
        parameters: &[SET_ACCEPTED],
        run: set_accepted,
    },
    Cmdlet { name: "Get-RemoteDomain", effect: Effect::Read, parameters: &[GET], run: get_remote },
    Cmdlet { name: "Set-RemoteDomain", effect: Effect::Write, parameters: &[SET_REMOTE], run: set_remote },
];

const GET: &[Parameter] = &[own("Identity"), own("ResultSize")];

const SET_TRANSPORT: &[Parameter] = &[
    p("SmtpClientAuthenticationDisabled", Kind::Bool),
    p("AllowLegacyTLSClients", Kind::NullableBool),
    p("MessageExpiration", Kind::Span),
    p("ExternalPostmasterAddress", Kind::NullableText),
    p("JournalingReportNdrTo", Kind::Text),
    p("ClearCategories", Kind::Bool),
    p("ConvertDisclaimerWrapperToEml", Kind::Bool),
    p("AddressBookPolicyRoutingEnabled", Kind::Bool),
    p("ExternalDelayDsnEnabled", Kind::Bool),
    p("InternalDelayDsnEnabled", Kind::Bool),
    p("Rfc2231EncodingEnabled", Kind::Bool),
    p("HeaderPromotionModeSetting", Kind::OneOf(&["NoCreate", "MayCreate", "MustCreate"])),
    p("ReplyAllStormProtectionEnabled", Kind::Bool),
    p("ReplyAllStormBlockDurationHours", Kind::Int),
    p("ReplyAllStormDetectionMinimumRecipients", Kind::Int),
    p("ReplyAllStormDetectionMinimumReplies", Kind::Int),
    p("DSNConversionMode", Kind::OneOf(&["DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"])),
    p("JournalMessageExpirationDays", Kind::Int),
];

const SET_ORGANIZATION: &[Parameter] = &[
    p("AuditDisabled", Kind::Bool),
    p("OAuth2ClientProfileEnabled", Kind::Bool),
    p("MailTipsAllTipsEnabled", Kind::Bool),
    p("MailTipsExternalRecipientsTipsEnabled", Kind::Bool),
    p("MailTipsGroupMetricsEnabled", Kind::Bool),
    p("MailTipsMailboxSourcedTipsEnabled", Kind::Bool),
    p("MailTipsLargeAudienceThreshold", Kind::Int),
    p("DefaultAuthenticationPolicy", Kind::NullableText),
    p("EwsEnabled", Kind::NullableBool),
    p("EwsAllowList", Kind::List),
    p("EwsBlockList", Kind::List),
    p("EwsApplicationAccessPolicy", Kind::OneOf(&["EnforceAllowList", "EnforceBlockList"])),
    p("SendFromAliasEnabled", Kind::Bool),
    p("FocusedInboxOn", Kind::NullableBool),
    p("BookingsEnabled", Kind::Bool),
    own("AutoExpandingArchive"),
    p("ActivityBasedAuthenticationTimeoutEnabled", Kind::Bool),
    p("ActivityBasedAuthenticationTimeoutInterval", Kind::Span),
    p("ConnectorsEnabled", Kind::Bool),
    p("CustomerLockboxEnabled", Kind::Bool),
    p("DirectReportsGroupAutoCreationEnabled", Kind::Bool),
    p("LeanPopoutEnabled", Kind::Bool),
    p("OutlookMobileGCCRestrictionsEnabled", Kind::Bool),
    p("PublicFoldersEnabled", Kind::OneOf(&["None", "Local", "Remote"])),
    p("ReadTrackingEnabled", Kind::Bool),
    p("RejectDirectSend", Kind::Bool),
    missing("DefaultPublicFolderProhibitPostQuota"),
];

const SET_ACCEPTED: &[Parameter] = &[
    own("Identity"),
    p("DomainType", Kind::OneOf(&["Authoritative", "ExternalRelay", "InternalRelay"])),
    p("MatchSubDomains", Kind::Bool),
    p("SendingFromDomainDisabled", Kind::Bool),
    p("OutboundOnly", Kind::Bool),
];

const SET_REMOTE: &[Parameter] = &[
    own("Identity"),
    p("AllowedOOFType", Kind::OneOf(&["External", "InternalLegacy", "ExternalLegacy", "None"])),
    p("AutoReplyEnabled", Kind::Bool),
    p("AutoForwardEnabled", Kind::Bool),
    p("DeliveryReportEnabled", Kind::Bool),
    p("NDREnabled", Kind::Bool),
    p("MeetingForwardNotificationEnabled", Kind::Bool),
    p("ContentType", Kind::OneOf(&["MimeHtmlText", "MimeText", "MimeHtml"])),
    p("DisplaySenderName", Kind::Bool),
    p("TNEFEnabled", Kind::NullableBool),
    p("LineWrapSize", Kind::Text),
    p("CharacterSet", Kind::Text),
    p("NonMimeCharacterSet", Kind::Text),
    p("TrustedMailOutboundEnabled", Kind::Bool),
    p("TrustedMailInboundEnabled", Kind::Bool),
    p("TargetDeliveryDomain", Kind::Bool),
];

fn get_transport(call: &mut Call<'_>) -> Result<Answer, Failure> {
    Ok(Answer::Objects(vec![call.read(Class::TransportConfig, 0)]))
}

fn set_transport(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.set(Class::TransportConfig, 0, |_, _, _| Ok(()))
}

fn get_organization(call: &mut Call<'_>) -> Result<Answer, Failure> {
    Ok(Answer::Objects(vec![call.read(Class::OrganizationConfig, 0)]))
}

fn set_organization(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.set(Class::OrganizationConfig, 0, |call, _, changes| {
        // A switch that cannot be taken back.
        if call.given.switch("AutoExpandingArchive")? {
            changes.insert("AutoExpandingArchiveEnabled", Prop::Bool(true));
        }
        Ok(())
    })
}

fn get_accepted(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::AcceptedDomain)
}

fn set_accepted(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::AcceptedDomain)?;
    call.set(Class::AcceptedDomain, index, |_, _, _| Ok(()))
}

fn get_remote(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::RemoteDomain)
}

fn set_remote(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::RemoteDomain)?;
    call.set(Class::RemoteDomain, index, |_, _, _| Ok(()))
}
