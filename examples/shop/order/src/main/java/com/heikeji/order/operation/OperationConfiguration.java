package com.heikeji.order.operation;

import com.heikeji.order.ShopProperties;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.observation.ObservationPredicate;
import java.time.Clock;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.server.observation.ServerRequestObservationContext;

@Configuration(proxyBeanMethods = false)
class OperationConfiguration {

    @Bean
    Clock clock() {
        return Clock.systemUTC();
    }

    /** Probes and scrapes are not measured: there are many, and a readiness that says 503 is no failed request. */
    @Bean
    ObservationPredicate withoutProbes() {
        return (name, context) -> !(context instanceof ServerRequestObservationContext request
                && isProbe(request.getCarrier().getRequestURI()));
    }

    static boolean isProbe(String path) {
        return path.startsWith("/actuator") || path.equals("/version");
    }

    /** Always 1; its labels say which build answers. */
    @Bean
    MeterBinder buildInfo(ShopProperties shop) {
        return (MeterRegistry registry) -> Gauge.builder("shop.build.info", () -> 1)
                .tag("version", shop.version())
                .tag("commit", shop.commit())
                .tag("environment", shop.environment())
                .register(registry);
    }
}
