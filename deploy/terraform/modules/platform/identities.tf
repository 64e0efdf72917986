data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  zone      = coalesce(var.hosted_zone_id, "none")
  in_region = "${var.region}:${data.aws_caller_identity.current.account_id}"

  load_balancing = "arn:${local.partition}:elasticloadbalancing:${local.in_region}"
  network        = "arn:${local.partition}:ec2:${local.in_region}"

  # How the load balancer controller marks what it makes.
  made_here = { StringEquals = { "aws:RequestTag/elbv2.k8s.aws/cluster" = var.cluster_name } }
  is_ours   = { StringEquals = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = var.cluster_name } }

  # Who runs as which service account, and what that may do.
  identities = merge({
    load-balancer = {
      namespace       = "kube-system"
      service_account = "aws-load-balancer-controller"
      statements = [
        {
          Sid = "Look"
          Action = [
            "acm:DescribeCertificate", "acm:ListCertificates",
            "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstances", "ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags",
            "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc",
            "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
            "elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies",
            "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeTrustStores",
          ]
          Resource = "*"
        },
        {
          Sid       = "FirstInTheAccount"
          Action    = "iam:CreateServiceLinkedRole"
          Resource  = "*"
          Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
        },
        {
          Sid       = "MakeGroups"
          Action    = "ec2:CreateSecurityGroup"
          Resource  = "${local.network}:security-group/*"
          Condition = local.made_here
        },
        {
          Sid      = "MakeGroupsInTheNetwork"
          Action   = "ec2:CreateSecurityGroup"
          Resource = "${local.network}:vpc/${var.vpc_id}"
        },
        {
          Sid      = "TagNewGroups"
          Action   = "ec2:CreateTags"
          Resource = "${local.network}:security-group/*"
          Condition = {
            StringEquals = merge(local.made_here.StringEquals, { "ec2:CreateAction" = "CreateSecurityGroup" })
          }
        },
        {
          Sid       = "ChangeGroups"
          Action    = ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSecurityGroup"]
          Resource  = "${local.network}:security-group/*"
          Condition = local.is_ours
        },
        {
          # The nodes' group, too: it has to let the load balancer in. That group is EKS's, which tags it otherwise.
          Sid      = "OpenGroups"
          Action   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
          Resource = "${local.network}:security-group/*"
          Condition = {
            ArnEquals = { "ec2:Vpc" = "${local.network}:vpc/${var.vpc_id}" }
          }
        },
        {
          Sid    = "MakeLoadBalancers"
          Action = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
          Resource = [
            "${local.load_balancing}:loadbalancer/*", "${local.load_balancing}:targetgroup/*",
          ]
          Condition = local.made_here
        },
        {
          # Listeners and rules are tagged while they are made, and have no tag to ask for before.
          Sid    = "MakeListeners"
          Action = ["elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateRule"]
          Resource = [
            "${local.load_balancing}:loadbalancer/*", "${local.load_balancing}:listener/*",
          ]
          Condition = local.is_ours
        },
        {
          Sid    = "TagWhatIsMade"
          Action = "elasticloadbalancing:AddTags"
          Resource = [
            "${local.load_balancing}:loadbalancer/*", "${local.load_balancing}:targetgroup/*",
            "${local.load_balancing}:listener/*", "${local.load_balancing}:listener-rule/*",
          ]
          Condition = {
            StringEquals = merge(local.made_here.StringEquals, {
              "elasticloadbalancing:CreateAction" = ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule"]
            })
          }
        },
        {
          Sid = "ChangeLoadBalancers"
          Action = [
            "elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:AddTags",
            "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:ModifyRule", "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets",
            "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:RemoveTags",
            "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetRulePriorities",
            "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
          ]
          Resource = [
            "${local.load_balancing}:loadbalancer/*", "${local.load_balancing}:targetgroup/*",
            "${local.load_balancing}:listener/*", "${local.load_balancing}:listener-rule/*",
          ]
          Condition = local.is_ours
        },
      ]
    }

    secrets = {
      namespace       = "external-secrets"
      service_account = "external-secrets"
      statements = [
        {
          Sid      = "Read"
          Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
          Resource = var.secret.arn
        },
        {
          Sid       = "Decrypt"
          Action    = "kms:Decrypt"
          Resource  = var.secret.kms_key_arn
          Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
        },
      ]
    }

    autoscaler = {
      namespace       = "kube-system"
      service_account = "cluster-autoscaler"
      statements = [
        {
          Sid = "Look"
          Action = [
            "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
            "autoscaling:DescribeLaunchConfigurations", "autoscaling:DescribeScalingActivities",
            "autoscaling:DescribeTags", "ec2:DescribeImages", "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements",
            "eks:DescribeNodegroup",
          ]
          Resource = "*"
        },
        {
          Sid       = "Scale"
          Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
          Resource  = "*"
          Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.cluster_name}" = "owned" } }
        },
      ]
    }

    # A bucket whose versions it cannot delete: who takes the pod over cannot take the backups along.
    # The job that restores is the same account.
    backup = {
      namespace       = var.namespace
      service_account = "backup"
      statements = [
        {
          Sid      = "List"
          Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
          Resource = var.backups.bucket_arn
        },
        {
          Sid      = "ReadAndWrite"
          Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
          Resource = "${var.backups.bucket_arn}/*"
        },
        {
          Sid      = "Encrypt"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = var.backups.kms_key_arn
        },
      ]
    }
    }, { for name, identity in {
      dns = {
        namespace       = "external-dns"
        service_account = "external-dns"
        statements = [
          {
            Sid      = "Look"
            Action   = ["route53:ListHostedZones", "route53:ListTagsForResources"]
            Resource = "*"
          },
          {
            Sid      = "Read"
            Action   = "route53:ListResourceRecordSets"
            Resource = "arn:${local.partition}:route53:::hostedzone/${local.zone}"
          },
          {
            Sid      = "Write"
            Action   = "route53:ChangeResourceRecordSets"
            Resource = "arn:${local.partition}:route53:::hostedzone/${local.zone}"
            # external-dns keeps TXT records beside the names, some called `a-` or `cname-` and the name.
            Condition = {
              "ForAllValues:StringLike" = {
                "route53:ChangeResourceRecordSetsNormalizedRecordNames" = [var.domain, "*.${var.domain}", "*-${var.domain}"]
              }
            }
          },
        ]
      }
  } : name => identity if var.hosted_zone_id != null })
}

resource "aws_iam_role" "main" {
  for_each = local.identities

  name = "${var.cluster_name}-${each.key}"

  # Who is not of this account and this cluster cannot be it, whatever EKS is asked for elsewhere.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = data.aws_caller_identity.current.account_id
          "aws:RequestTag/eks-cluster-name"           = var.cluster_name
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.service_account
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "main" {
  for_each = local.identities

  name = each.key
  role = aws_iam_role.main[each.key].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in each.value.statements : merge({ Effect = "Allow" }, statement)]
  })
}

resource "aws_eks_pod_identity_association" "main" {
  for_each = local.identities

  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.main[each.key].arn

  depends_on = [aws_iam_role_policy.main]
}
