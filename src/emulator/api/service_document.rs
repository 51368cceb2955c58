//! The service document and its description.
//!
//! Source: protocol reference, 3.1. The service lists about 50 sets; here are those that the emulator serves.

use hyper::Response;
use serde_json::{Value, json};

use super::super::request::{Request, root};
use super::super::respond::{self, Body};

/// Entity sets that can be read.
const SETS: &[&str] = &["CasMailbox", "Mailbox", "Recipient", "User"];

pub(super) fn answer(request: &Request<'_>) -> Response<Body> {
    let sets: Vec<Value> =
        SETS.iter().map(|name| json!({"name": name, "kind": "EntitySet", "url": name})).collect();
    let body = json!({"@odata.context": format!("{}/$metadata", root(request.parts)), "value": sets});
    respond::full(200, respond::JSON, body.to_string())
}

/// CSDL of the one action, and of the types it needs.
const METADATA: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
  <edmx:DataServices>
    <Schema Namespace="Exchange" xmlns="http://docs.oasis-open.org/odata/ns/edm">
      <ComplexType Name="GenericHashTable" OpenType="true" />
      <ComplexType Name="ByteArrayType">
        <Property Name="Data" Type="Collection(Edm.Byte)" Nullable="false" />
      </ComplexType>
      <ComplexType Name="StringFieldDeltaUpdateData">
        <Property Name="Add" Type="Collection(Edm.String)" />
        <Property Name="Remove" Type="Collection(Edm.String)" />
      </ComplexType>
      <ComplexType Name="CmdletInvokeInputType">
        <Property Name="CmdletName" Type="Edm.String" Nullable="false" />
        <Property Name="Parameters" Type="Exchange.GenericHashTable" />
      </ComplexType>
      <EntityType Name="Entity" Abstract="true" OpenType="true">
        <Key><PropertyRef Name="Id" /></Key>
        <Property Name="Id" Type="Edm.String" Nullable="false" />
      </EntityType>
      <EntityType Name="CasMailbox" BaseType="Exchange.Entity" OpenType="true" />
      <EntityType Name="Mailbox" BaseType="Exchange.Entity" OpenType="true" />
      <EntityType Name="Recipient" BaseType="Exchange.Entity" OpenType="true" />
      <EntityType Name="User" BaseType="Exchange.Entity" OpenType="true" />
      <Action Name="InvokeCommand">
        <Parameter Name="CmdletInput" Type="Exchange.CmdletInvokeInputType" />
        <ReturnType Type="Collection(Exchange.GenericHashTable)" />
      </Action>
      <EntityContainer Name="Container">
        <EntitySet Name="CasMailbox" EntityType="Exchange.CasMailbox" />
        <EntitySet Name="Mailbox" EntityType="Exchange.Mailbox" />
        <EntitySet Name="Recipient" EntityType="Exchange.Recipient" />
        <EntitySet Name="User" EntityType="Exchange.User" />
        <ActionImport Name="InvokeCommand" Action="Exchange.InvokeCommand" />
      </EntityContainer>
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
"#;

pub(super) fn metadata() -> Response<Body> {
    respond::full(200, "application/xml;charset=utf-8", METADATA)
}
