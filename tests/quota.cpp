// Prints the CPUs that cgroups grant: quota <where they are mounted> <what /proc/self/cgroup says>
#include "../csrc/thread_count.cpp"

int main(int, char** arguments) {
    printf("%d\n", fastloss::quota_of_process(arguments[1], arguments[2]));
}
