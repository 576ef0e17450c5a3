// How many threads a process may use: environment, affinity and cgroup quota.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>

#include "threads.hpp"

namespace fastloss {
namespace {

// Reads the beginning of a file as a string; empty when it cannot.
template <size_t size>
void read_text(const char* directory, const char* name, char (&text)[size]) {
    text[0] = 0;
    char path[PATH_MAX];
    const int needed = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (needed < 0 || size_t(needed) >= sizeof path) return;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    size_t length = 0;
    while (length < size - 1) {
        const ssize_t count = read(file, text + length, size - 1 - length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        length += size_t(count);
    }
    close(file);
    text[length] = 0;
}

// CPUs granted by the files of one cgroup directory, rounded up; INT_MAX when unlimited.
int quota_of_directory(const char* directory, bool version_2) {
    char text[64];
    long long quota = 0, period = 0;
    if (version_2) {
        read_text(directory, "cpu.max", text);  // "max 100000" or "150000 100000"
        if (sscanf(text, "%lld %lld", &quota, &period) != 2) return INT_MAX;
    } else {
        read_text(directory, "cpu.cfs_quota_us", text);
        quota = atoll(text);
        read_text(directory, "cpu.cfs_period_us", text);
        period = atoll(text);
    }
    if (quota <= 0 || period <= 0) return INT_MAX;
    const long long cpus = quota / period + (quota % period != 0);
    return cpus < INT_MAX ? int(cpus) : INT_MAX;
}

// The smallest quota of a cgroup and its ancestors. In a container the path may name a directory
// of the host that is not visible here: its visible root is then found as the last ancestor.
int quota_of_group(const char* mount, const char* group, bool version_2) {
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s%s", mount, group);
    int smallest = INT_MAX;
    for (;;) {
        const int quota = quota_of_directory(directory, version_2);
        if (quota < smallest) smallest = quota;
        char* slash = strrchr(directory, '/');
        if (!slash || size_t(slash - directory) < strlen(mount)) return smallest;
        *slash = 0;
    }
}

// Each line of `groups` (/proc/self/cgroup) is "number:controllers:path"; version 2 is "0::path".
int quota_of_process(const char* mount, char* groups) {
    char mount_of_cpu[PATH_MAX];
    snprintf(mount_of_cpu, sizeof mount_of_cpu, "%s/cpu", mount);
    int smallest = INT_MAX;
    char* rest_of_text;
    for (char* line = strtok_r(groups, "\n", &rest_of_text); line;
         line = strtok_r(nullptr, "\n", &rest_of_text)) {
        char* controllers = strchr(line, ':');
        char* group = controllers ? strchr(controllers + 1, ':') : nullptr;
        if (!group) continue;
        *group++ = 0;
        ++controllers;
        int quota = INT_MAX;
        if (*controllers == 0) quota = quota_of_group(mount, group, true);
        char* rest;
        for (char* name = strtok_r(controllers, ",", &rest); name;
             name = strtok_r(nullptr, ",", &rest)) {
            if (strcmp(name, "cpu") == 0) quota = quota_of_group(mount_of_cpu, group, false);
        }
        if (quota < smallest) smallest = quota;
    }
    return smallest;
}

int cpus_by_affinity() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    // More than 1024 CPUs, or a system without affinity.
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 1 ? int(online) : 1;
}

int clamp_threads(long threads) {
    if (threads < 1) return 1;
    return threads < maximum_threads ? int(threads) : maximum_threads;
}

int find_default_threads() {
    for (const char* name : {"FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"}) {
        const char* text = getenv(name);
        // OMP_NUM_THREADS may be a list by nesting level: its first number counts.
        const long number = text ? strtol(text, nullptr, 10) : 0;
        if (number >= 1) return clamp_threads(number);
    }
    char groups[8192];
    read_text("/proc/self", "cgroup", groups);
    const int quota = quota_of_process("/sys/fs/cgroup", groups);
    const int cpus = cpus_by_affinity();
    return clamp_threads(quota < cpus ? quota : cpus);
}

std::atomic<int> cached_default{0};
std::atomic<int> limit{0};

}  // namespace

int default_threads() {
    int threads = cached_default.load();
    if (threads == 0) {
        threads = find_default_threads();
        cached_default.store(threads);
    }
    return threads;
}

int get_threads() {
    const int threads = limit.load();
    return threads > 0 ? threads : default_threads();
}

void set_threads(int threads) {
    limit.store(threads > 0 ? clamp_threads(threads) : 0);
}

}  // namespace fastloss
