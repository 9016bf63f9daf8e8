"""What `Ref` and `Fn::GetAtt` look like for resources that exist in AWS alone.

"Return values" of each type's page under
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

import re

from eachonce_workbench.template.made_up import digits, identifier, letters, named, uuid, words
from eachonce_workbench.template.place import Place

# The names in ARNs, where they are not the type's own: "AWS::StepFunctions::StateMachine" is of "states".
_SERVICES = {
    "amazonmq": "mq",
    "applicationautoscaling": "application-autoscaling",
    "apigatewayv2": "apigateway",
    "bedrockagentcore": "bedrock-agentcore",
    "certificatemanager": "acm",
    "cognito": "cognito-idp",
    "efs": "elasticfilesystem",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "kinesisanalyticsv2": "kinesisanalytics",
    "kinesisfirehose": "firehose",
    "msk": "kafka",
    "opensearchservice": "es",
    "elasticsearch": "es",
    "opensearchserverless": "aoss",
    "stepfunctions": "states",
}
_GLOBAL = frozenset({"cloudfront", "globalaccelerator", "iam", "organizations", "route53", "waf"})
_RESOURCES = {
    "AWS::Cognito::UserPool": "userpool/{id}",
    "AWS::KMS::Key": "key/{id}",
    "AWS::Kinesis::Stream": "stream/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "deliverystream/{name}",
    "AWS::Lambda::Function": "function:{name}",
    "AWS::SNS::Topic": "{name}",
    "AWS::SecretsManager::Secret": "secret:{name}-{six}",
    "AWS::StepFunctions::Activity": "activity:{name}",
    "AWS::StepFunctions::StateMachine": "stateMachine:{name}",
}
_REF_IS_ARN = frozenset(
    {
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFormation::Stack",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::IAM::ManagedPolicy",
        "AWS::MSK::Cluster",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::SecretsManager::Secret",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::StepFunctions::Activity",
        "AWS::StepFunctions::StateMachine",
    }
)
_EC2_IDS = {
    "EIP": "eipalloc",
    "FlowLog": "fl",
    "Instance": "i",
    "InternetGateway": "igw",
    "LaunchTemplate": "lt",
    "NatGateway": "nat",
    "NetworkInterface": "eni",
    "RouteTable": "rtb",
    "SecurityGroup": "sg",
    "Subnet": "subnet",
    "VPC": "vpc",
    "VPCEndpoint": "vpce",
    "Volume": "vol",
}
_PLURAL = re.compile(r"[^isu]s$")


def ref(type_name: str, name: str, place: Place) -> str:
    """Give what `Ref` may give for a resource of a name."""
    return arn(type_name, name, place) if type_name in _REF_IS_ARN else _id(type_name, name, place)


def is_anything(type_name: str) -> bool:
    """Whether attributes of a type may be of any kind: those of another template, and of what a function makes."""
    return not type_name.startswith("AWS::") or type_name.startswith("AWS::CloudFormation::")


def attribute(type_name: str, name: str, attribute: str, place: Place) -> str | list[str]:
    """Give what `Fn::GetAtt` may give for an attribute of a resource of a name: a list where its name is a plural."""
    if attribute == "DnsEntries":
        return [f"Z{letters(name, 13).upper()}:{words(name)}.example.com"]
    if is_anything(type_name):
        return named(f"{name}-{attribute.rpartition('.')[2]}", place)
    if _PLURAL.search(attribute):
        return [_attribute(type_name, name, attribute[:-1], place)]
    return _attribute(type_name, name, attribute, place)


def _attribute(type_name: str, name: str, attribute: str, place: Place) -> str:
    last = attribute.rpartition(".")[2]
    lower = last.lower()
    if lower.endswith("arn"):
        return arn(type_name if lower == "arn" else f"{type_name}{last[:-3]}", name, place)
    if lower in ("id", "name", type_name.rpartition("::")[2].lower() + "id"):
        return _id(type_name, name, place) if lower != "name" else name
    host = f"{words(name)}.example.com"
    if lower.endswith(("url", "uri", "apiendpoint")):
        return f"https://{host}"
    if lower.endswith(("domainname", "domain", "dnsname", "address", "endpoint")):
        return host
    if lower.endswith("port"):
        return "443"
    return f"{name}-{words(attribute)}"


def arn(type_name: str, name: str, place: Place) -> str:
    """Make an ARN for a resource of any type.

    >>> here = Place(stack="s", region="eu-west-1", account_id="123456789012", endpoint="")
    >>> arn("AWS::S3::Bucket", "photos", here), arn("AWS::Kinesis::Stream", "clicks", here)
    ('arn:aws:s3:::photos', 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks')
    """
    _, service, kind = [*type_name.split("::"), "", ""][:3]
    service = _SERVICES.get(service.lower(), service.lower() or "custom")
    if service == "s3":
        return f"arn:{place.partition}:s3:::{name}"
    form = _RESOURCES.get(type_name, f"{kind.lower() or 'resource'}/{{name}}")
    resource = form.format(name=name, id=_id(type_name, name, place), six=letters(name, 6))
    if service in _GLOBAL:
        return f"arn:{place.partition}:{service}::{place.account_id}:{resource}"
    return place.arn(service, resource)


def _id(type_name: str, name: str, place: Place) -> str:
    service, _, kind = type_name.removeprefix("AWS::").rpartition("::")
    if service == "EC2" and kind in _EC2_IDS:
        return identifier(_EC2_IDS[kind], name)
    match type_name:
        case "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api":
            return letters(name, 10)
        case "AWS::Cognito::UserPool":
            return f"{place.region}_{letters(name, 9)}"
        case "AWS::Cognito::UserPoolClient":
            return letters(name, 26)
        case "AWS::Cognito::IdentityPool":
            return f"{place.region}:{uuid(name)}"
        case "AWS::CloudFront::Distribution" | "AWS::Route53::HostedZone":
            return f"{'E' if kind == 'Distribution' else 'Z'}{letters(name, 13).upper()}"
        case "AWS::EFS::FileSystem":
            return f"fs-{digits(name, 17)}"
        case "AWS::EFS::AccessPoint":
            return f"fsap-{digits(name, 17)}"
        case "AWS::KMS::Key":
            return uuid(name)
    return name
