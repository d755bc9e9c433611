package com.heikeji.order.api;

import com.heikeji.order.ShopProperties;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Says which build answers, and for which environment. */
@RestController
class VersionController {

    private final Version version;

    VersionController(ShopProperties shop, @Value("${spring.application.name}") String service) {
        this.version = new Version(
                service, shop.version(), shop.commit(), shop.environment(), shop.banner(), shop.instance());
    }

    record Version(String service, String version, String commit, String environment, String banner, String instance) {}

    @GetMapping("/version")
    Version version() {
        return version;
    }
}
