# A cluster whose secrets are encrypted, whose pods cannot be their node, and whose API is not for the world.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  name           = "hive-test"
  subnet_ids     = ["subnet-1", "subnet-2", "subnet-3"]
  operators      = ["203.0.113.7/32"]
  admins         = ["arn:aws:iam::123456789012:role/operators"]
  instance_types = ["m7i.large"]
  nodes          = { min = 1, max = 4 }
}

run "what_holds_of_every_cluster" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = aws_eks_cluster.main.version == "1.35" && alltrue([for group in aws_eks_node_group.main : group.version == "1.35"])
    error_message = "Cluster and nodes are not of the version that is pinned."
  }

  assert {
    condition     = aws_eks_cluster.main.encryption_config[0].resources == toset(["secrets"]) && aws_kms_key.main.enable_key_rotation
    error_message = "Secrets are not encrypted with a key of ours that is changed every year."
  }

  assert {
    condition = (
      aws_eks_cluster.main.vpc_config[0].endpoint_private_access &&
      aws_eks_cluster.main.vpc_config[0].public_access_cidrs == toset(["203.0.113.7/32"])
    )
    error_message = "The API is not reached inside, or by others than its operators."
  }

  assert {
    condition     = length(aws_eks_cluster.main.enabled_cluster_log_types) == 5
    error_message = "The control plane does not log everything."
  }

  assert {
    condition = (
      aws_launch_template.node.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "Pods can have their node's credentials."
  }

  assert {
    condition     = aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "Nodes' disks are not encrypted."
  }

  assert {
    condition     = length(aws_eks_node_group.main) == 3 && alltrue([for group in aws_eks_node_group.main : length(group.subnet_ids) == 1])
    error_message = "There is not one group of nodes for each zone."
  }

  assert {
    condition     = jsondecode(aws_eks_addon.before["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "Nobody enforces NetworkPolicies."
  }

  assert {
    condition = toset(concat(keys(aws_eks_addon.before), keys(aws_eks_addon.after))) == toset([
      "vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "aws-ebs-csi-driver",
    ])
    error_message = "An add-on is missing."
  }

  assert {
    condition     = alltrue([for addon in concat(values(aws_eks_addon.before), values(aws_eks_addon.after)) : addon.addon_version == "v1.2.3-eksbuild.4"])
    error_message = "An add-on is not of the version that EKS recommends."
  }

  assert {
    condition     = keys(aws_eks_access_policy_association.admin) == ["arn:aws:iam::123456789012:role/operators"]
    error_message = "Administrators cannot get in, or others can."
  }
}

run "without_operators_only_from_inside" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    operators      = []
    architecture   = "arm64"
    addon_versions = { coredns = "v9.9.9-eksbuild.9" }
  }

  assert {
    condition     = !aws_eks_cluster.main.vpc_config[0].endpoint_public_access
    error_message = "The API is reached from outside."
  }

  assert {
    condition     = alltrue([for group in aws_eks_node_group.main : group.ami_type == "AL2023_ARM_64_STANDARD"])
    error_message = "Nodes are of another architecture than asked for."
  }

  assert {
    condition     = aws_eks_addon.after["coredns"].addon_version == "v9.9.9-eksbuild.9"
    error_message = "An add-on cannot be pinned."
  }
}

run "the_world_as_operator_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    operators = ["0.0.0.0/0"]
  }

  expect_failures = [var.operators]
}

run "two_zones_are_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    subnet_ids = ["subnet-1", "subnet-2"]
  }

  expect_failures = [var.subnet_ids]
}

run "no_node_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    nodes = { min = 0, max = 4 }
  }

  expect_failures = [var.nodes]
}

run "an_administrator_by_name_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    admins = ["somebody"]
  }

  expect_failures = [var.admins]
}

run "another_architecture_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    architecture = "x86"
  }

  expect_failures = [var.architecture]
}

run "a_version_in_full_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    kubernetes_version = "1.35.2"
  }

  expect_failures = [var.kubernetes_version]
}
