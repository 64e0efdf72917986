package kafka_test

const memberVariable = "BLABBER_TEST_MEMBER"

func beMember() int { return 0 }
