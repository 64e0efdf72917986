output "vpc_id" {
  description = "The network."
  value       = aws_vpc.main.id
}

output "cidr" {
  description = "Its addresses."
  value       = var.cidr
}

output "public_subnet_ids" {
  description = "Where load balancers for the world stand, one for each zone."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Where nodes stand, one for each zone."
  value       = [for subnet in aws_subnet.private : subnet.id]

  # A node that starts before there is a way out never joins its cluster.
  depends_on = [aws_route_table_association.private, aws_route_table.private, aws_vpc_endpoint.s3]
}

output "data_subnet_ids" {
  description = "Where data is, one for each zone."
  value       = [for subnet in aws_subnet.data : subnet.id]
}

output "ways_out" {
  description = "In how many zones there is a way out of its own."
  value       = length(aws_nat_gateway.main)
}
