# Three zones, data without a way out, and nothing that is open to everybody.

mock_provider "aws" {
  source = "./tests/aws"
}

variables {
  name = "hive-test"
  nat  = "zone"
}

run "three_zones" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition = alltrue([
      for kind in [aws_subnet.public, aws_subnet.private, aws_subnet.data] :
      [for subnet in kind : subnet.availability_zone] == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    ])
    error_message = "There is not one subnet of each kind in each zone."
  }

  assert {
    condition = length(distinct(flatten([
      for kind in [aws_subnet.public, aws_subnet.private, aws_subnet.data] : [for subnet in kind : subnet.cidr_block]
    ]))) == 9
    error_message = "Subnets share addresses."
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 3
    error_message = "A zone has no way out of its own."
  }

  # Gateways are routes of the tables of private subnets alone; the table of data has none at all.
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 is not reached inside, or something is that nobody asked for."
  }

  assert {
    condition     = !anytrue([for subnet in concat(values(aws_subnet.private), values(aws_subnet.data)) : subnet.map_public_ip_on_launch == true])
    error_message = "Something private gets an address of the world."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == "10.20.0.0/16"
    error_message = "Endpoints are open to others than this network."
  }

  assert {
    condition     = aws_flow_log.main.traffic_type == "ALL" && aws_cloudwatch_log_group.flows.retention_in_days == 30
    error_message = "It is not kept who spoke with whom."
  }
}

run "one_way_out" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat                 = "one"
    interface_endpoints = ["sts", "ecr.api"]
  }

  assert {
    condition     = keys(aws_nat_gateway.main) == ["eu-central-1a"] && length(aws_route_table.private) == 3
    error_message = "There is not one gateway for all zones."
  }

  assert {
    condition = toset([for endpoint in aws_vpc_endpoint.interface : endpoint.service_name]) == toset([
      "com.amazonaws.eu-central-1.ecr.api", "com.amazonaws.eu-central-1.sts",
    ])
    error_message = "Services are not reached inside."
  }
}

# Applied with made-up ids, to see who stands where.
run "who_stands_where" {
  module {
    source = "./modules/network"
  }

  variables {
    interface_endpoints = ["sts"]
  }

  assert {
    condition = (
      output.private_subnet_ids == [for subnet in aws_subnet.private : subnet.id] &&
      output.data_subnet_ids == [for subnet in aws_subnet.data : subnet.id] &&
      output.public_subnet_ids == [for subnet in aws_subnet.public : subnet.id]
    )
    error_message = "Somebody else's subnets are given out."
  }

  assert {
    condition     = aws_vpc_endpoint.interface["sts"].subnet_ids == toset([for subnet in aws_subnet.private : subnet.id])
    error_message = "Endpoints are where the world reaches them."
  }

  assert {
    condition = alltrue([
      for zone, table in aws_route_table.private :
      one(table.route).nat_gateway_id == aws_nat_gateway.main[zone].id && aws_nat_gateway.main[zone].subnet_id == aws_subnet.public[zone].id
    ])
    error_message = "A zone goes out by another one, or not at all."
  }

  assert {
    condition     = length([for route in aws_route_table.data.route : route if route.cidr_block == "0.0.0.0/0"]) == 0 && !contains(aws_vpc_endpoint.s3.route_table_ids, aws_route_table.data.id)
    error_message = "Data has a way out."
  }
}

run "a_network_too_small_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "10.20.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "another_nat_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat = "two"
  }

  expect_failures = [var.nat]
}
